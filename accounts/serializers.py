from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import User
from avicenna.fields import PastDateField
from diagnoses.models import Patient


class RegisterSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    full_name = serializers.CharField(max_length=200)
    language = serializers.ChoiceField(choices=["fa", "en"], default="fa")
    birth_date = PastDateField(required=False, allow_null=True)
    sex = serializers.ChoiceField(choices=Patient.Sex.choices, required=False, allow_blank=True)


class SignInSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    device = serializers.CharField(max_length=200, required=False, allow_blank=True)


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=2000)


class TokenPairSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class MeSerializer(serializers.ModelSerializer[User]):
    name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    language = serializers.ChoiceField(choices=["fa", "en"], required=False)
    patient = serializers.SerializerMethodField(help_text=_("The id of one's own record, if there is one."))

    class Meta:
        model = User
        fields = ["id", "email", "name", "role", "language", "patient"]
        read_only_fields = ["id", "email", "role"]

    def get_patient(self, user: User) -> str | None:
        patient = Patient.objects.filter(user=user).only("pk").first()
        return str(patient.pk) if patient else None
