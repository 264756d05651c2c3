from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import Session, User
from accounts.push import is_public_key, is_push_service, is_secret
from avicenna.fields import PastDateField
from avicenna.prepared import Parameter, Prepared
from diagnoses.models import Consent, Patient

# Whoever opens the app asks it.
_RECORD = Prepared(lambda: Patient.objects.only("pk").filter(user=Parameter("user", User._meta.get_field("id"))))


class ConsentsSerializer(serializers.Serializer[Any]):
    """Given (true) or withdrawn (false); what is not named stays as it is."""

    treatment = serializers.BooleanField(required=False)
    statistics = serializers.BooleanField(required=False)
    training = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, bool]) -> dict[Consent.Purpose, bool]:
        return {Consent.Purpose(name): is_given for name, is_given in attrs.items()}


class RegisterSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    full_name = serializers.CharField(max_length=200)
    language = serializers.ChoiceField(choices=["fa", "en"], default="fa")
    birth_date = PastDateField(required=False, allow_null=True)
    sex = serializers.ChoiceField(choices=Patient.Sex.choices, required=False, allow_blank=True)
    consents = ConsentsSerializer(required=False)


class ConsentTextSerializer(serializers.Serializer[Any]):
    purpose = serializers.ChoiceField(choices=Consent.Purpose.choices)
    title = serializers.CharField()
    text = serializers.CharField(help_text="what is consented to, in the caller's language")
    text_version = serializers.CharField()


class ConsentSerializer(ConsentTextSerializer):
    is_given = serializers.BooleanField(allow_null=True, help_text="null: never asked, treated as given")
    at = serializers.DateTimeField(allow_null=True)


class SignInSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    code = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="of the authenticator app, or a recovery code; asked for with `code_required`",
    )
    device = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="how its owner knows it; else the browser's name"
    )


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=2000)


class SignOutSerializer(serializers.Serializer[Any]):
    everywhere = serializers.BooleanField(default=False, help_text="end every session of this account")


class ExportQuerySerializer(serializers.Serializer[Any]):
    format = serializers.ChoiceField(choices=["json", "fhir"], default="json")


class ErasureSerializer(serializers.Serializer[Any]):
    """There is no way back: the password once more, and a word that nobody types by mistake."""

    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    confirmation = serializers.ChoiceField(choices=["erase"])


class TokenPairSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class PasswordSerializer(serializers.Serializer[Any]):
    current = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    new = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)


class SessionSerializer(serializers.ModelSerializer[Session]):
    is_current = serializers.SerializerMethodField(help_text="whether it is the one that asks")

    class Meta:
        model = Session
        fields = ["id", "device", "created_at", "seen_at", "is_current"]

    def get_is_current(self, session: Session) -> bool:
        return bool(session.pk == self.context["request"].auth.pk)


class MeSerializer(serializers.ModelSerializer[User]):
    name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    language = serializers.ChoiceField(choices=["fa", "en"], required=False)
    patient = serializers.SerializerMethodField(help_text=_("The id of one's own record, if there is one."))

    class Meta:
        model = User
        fields = ["id", "email", "name", "role", "language", "patient"]
        read_only_fields = ["id", "email", "role"]

    def get_patient(self, user: User) -> str | None:
        patient = _RECORD.first(user=user.pk)
        return str(patient.pk) if patient else None


class PushKeysSerializer(serializers.Serializer[Any]):
    p256dh = serializers.CharField(max_length=100, help_text="a point of P-256, 65 bytes in base64url")
    auth = serializers.CharField(max_length=30, help_text="16 bytes in base64url")

    def validate_p256dh(self, value: str) -> str:
        return self._checked(value, is_public_key(value))

    def validate_auth(self, value: str) -> str:
        return self._checked(value, is_secret(value))

    def _checked(self, value: str, is_key: bool) -> str:
        if not is_key:
            raise serializers.ValidationError(_("This is not a key that a browser gives."))
        return value


class PushSubscriptionSerializer(serializers.Serializer[Any]):
    """What `PushManager.subscribe()` gave, as JSON."""

    endpoint = serializers.CharField(max_length=1000)
    keys = PushKeysSerializer()

    def validate_endpoint(self, value: str) -> str:
        if not is_push_service(value):
            raise serializers.ValidationError(_("This is not the address of a push service."))
        return value


class PushKeySerializer(serializers.Serializer[Any]):
    public_key = serializers.CharField(
        allow_null=True, help_text="the `applicationServerKey`; null where the clinic sends no push messages"
    )
    is_subscribed = serializers.BooleanField()
