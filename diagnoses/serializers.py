from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.access import Resource
from avicenna.fields import PastDateField, one_to_five, text
from avicenna.openapi import RefusalSerializer
from avicenna.serializers import FIXED, ChangeSerializer, FieldsByRole
from diagnoses.models import (
    BrokenGlass,
    Condition,
    Contraindication,
    Diagnosis,
    Patient,
    Recommendation,
    Remedy,
    SideEffect,
)

CURRENT = "With `changed_meanwhile`: what is there now."
SEEN = (
    "what was read before: answered with 409 `changed_meanwhile` and what is `current` when a field that is changed is "
    "not so any more; without it the last one to change wins"
)
TERM_FIELDS = ["slug", "name", "name_en", "name_fa", "is_active"]


def as_it_is(**kwargs: Any) -> serializers.CharField:
    """Text that was read and comes back, whatever it is by today's rules."""
    return serializers.CharField(allow_blank=True, trim_whitespace=False, **kwargs)


class ConditionSerializer(serializers.ModelSerializer[Condition]):
    class Meta:
        model = Condition
        fields = [*TERM_FIELDS, "category"]


class RemedySerializer(serializers.ModelSerializer[Remedy]):
    class Meta:
        model = Remedy
        fields = [*TERM_FIELDS, "kind", "scientific_name", "warmth", "moisture"]


class SourcedRemedySerializer(serializers.ModelSerializer[Remedy]):
    """For staff and practitioners: where the degrees come from, and how sure that is."""

    class Meta:
        model = Remedy
        fields = [*RemedySerializer.Meta.fields, "source", "confidence", "note"]


class SideEffectSerializer(serializers.ModelSerializer[SideEffect]):
    class Meta:
        model = SideEffect
        fields = [*TERM_FIELDS, "body_system"]


class PatientSerializer(FieldsByRole, serializers.ModelSerializer[Patient]):
    resource = Resource.PATIENT
    full_name = serializers.CharField(max_length=200)
    birth_date = PastDateField(required=False, allow_null=True)
    medical_history = text(10_000)
    current_medications = text(10_000)

    class Meta:
        model = Patient
        fields = [
            "id",
            "full_name",
            "birth_date",
            "sex",
            "mizaj_type",
            "medical_history",
            "current_medications",
            "created_at",
            "updated_at",
        ]


class PatientRefusalSerializer(RefusalSerializer):
    current = PatientSerializer(required=False, help_text=CURRENT)


class PatientChangeRefusedSerializer(serializers.Serializer[Any]):
    error = PatientRefusalSerializer()


class SeenPatientSerializer(serializers.ModelSerializer[Patient]):
    """What of a record its change is made from, to the letter."""

    full_name = as_it_is(required=False)
    medical_history = as_it_is(required=False)
    current_medications = as_it_is(required=False)

    class Meta:
        model = Patient
        fields = ["full_name", "birth_date", "sex", "mizaj_type", "medical_history", "current_medications"]


class ChangedPatientSerializer(PatientSerializer):
    seen = SeenPatientSerializer(required=False, write_only=True, help_text=SEEN)

    class Meta(PatientSerializer.Meta):
        fields = [*PatientSerializer.Meta.fields, "seen"]


class ActiveDiagnosisSerializer(serializers.ModelSerializer[Diagnosis]):
    condition_name = serializers.CharField(source="condition.name")

    class Meta:
        model = Diagnosis
        fields = ["id", "condition_name", "severity"]
        read_only_fields = fields


class ListedPatientSerializer(PatientSerializer):
    # Not in every answer, so not read-only: the schema would promise it to everybody. Nobody writes through this.
    active_diagnoses = ActiveDiagnosisSerializer(many=True, required=False)

    class Meta(PatientSerializer.Meta):
        fields = [*PatientSerializer.Meta.fields, "active_diagnoses"]


class VisiblePatientField(serializers.PrimaryKeyRelatedField[Patient]):
    """A patient the caller may see; any other does not exist."""

    def get_queryset(self) -> QuerySet[Patient]:
        return Patient.objects.visible_to(self.context["request"].user)


class PersonField(serializers.CharField):
    """A practitioner by name."""

    def to_representation(self, value: Any) -> str:
        return str(value)


def active(model: type[Condition | Remedy | SideEffect], **kwargs: Any) -> serializers.SlugRelatedField[Any]:
    return serializers.SlugRelatedField(slug_field="slug", queryset=model.objects.active(), **kwargs)


class DiagnosisSerializer(FieldsByRole, serializers.ModelSerializer[Diagnosis]):
    resource = Resource.DIAGNOSIS
    patient = VisiblePatientField(queryset=Patient.objects.none())
    patient_name = serializers.CharField(source="patient.full_name", read_only=True)
    practitioner = PersonField(read_only=True, allow_null=True)
    condition = active(Condition)
    condition_name = serializers.CharField(source="condition.name", read_only=True)
    severity = one_to_five()
    symptoms = serializers.ListField(child=serializers.CharField(max_length=200), max_length=30, required=False)
    notes = text(10_000)

    class Meta:
        model = Diagnosis
        fields = [
            "id",
            "patient",
            "patient_name",
            "practitioner",
            "condition",
            "condition_name",
            "severity",
            "imbalance",
            "symptoms",
            "notes",
            "status",
            "head",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["head"]


class NewDiagnosisSerializer(DiagnosisSerializer):
    class Meta(DiagnosisSerializer.Meta):
        read_only_fields = ["head", "status"]


class DiagnosisRefusalSerializer(RefusalSerializer):
    current = DiagnosisSerializer(required=False, help_text=CURRENT)


class DiagnosisChangeRefusedSerializer(serializers.Serializer[Any]):
    error = DiagnosisRefusalSerializer()


class SeenDiagnosisSerializer(serializers.ModelSerializer[Diagnosis]):
    """What of a diagnosis its change is made from, to the letter."""

    symptoms = serializers.ListField(child=as_it_is(), required=False)
    notes = as_it_is(required=False)

    class Meta:
        model = Diagnosis
        fields = ["severity", "imbalance", "symptoms", "notes", "status"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"severity": {"required": False}}


class ChangedDiagnosisSerializer(ChangeSerializer, DiagnosisSerializer):
    reader = DiagnosisSerializer
    fixed: ClassVar[dict[str, str | Promise]] = {
        **dict.fromkeys(["id", "practitioner", "created_at"], FIXED),
        **dict.fromkeys(["patient", "condition"], _("This cannot be changed; record a new diagnosis.")),
    }
    patient = None  # type: ignore[assignment]
    condition = None  # type: ignore[assignment]
    seen = SeenDiagnosisSerializer(required=False, help_text=SEEN)

    class Meta(DiagnosisSerializer.Meta):
        fields = ["severity", "imbalance", "symptoms", "notes", "status", "seen"]


class RecommendationSerializer(serializers.ModelSerializer[Recommendation]):
    remedy = active(Remedy)
    remedy_name = serializers.CharField(source="remedy.name", read_only=True)
    kind = serializers.CharField(source="remedy.kind", read_only=True)
    dosage = text(200)
    frequency = text(200)
    instructions = text(1000)
    duration_days = serializers.IntegerField(min_value=1, max_value=730, required=False, allow_null=True)

    class Meta:
        model = Recommendation
        fields = [
            "id",
            "diagnosis",
            "remedy",
            "remedy_name",
            "kind",
            "dosage",
            "frequency",
            "duration_days",
            "instructions",
            "status",
            "replaces",
            "effectiveness_score",
            "confidence",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["diagnosis", "status", "replaces", "effectiveness_score", "confidence"]


class RecommendationRefusalSerializer(RefusalSerializer):
    current = RecommendationSerializer(required=False, help_text=CURRENT)


class ChangeRefusedSerializer(serializers.Serializer[Any]):
    error = RecommendationRefusalSerializer()


class SeenRecommendationSerializer(RecommendationSerializer):
    """What of a recommendation its change is made from."""

    remedy = None  # type: ignore[assignment]

    class Meta(RecommendationSerializer.Meta):
        fields = ["dosage", "frequency", "duration_days", "instructions"]


class ChangedRecommendationSerializer(ChangeSerializer, RecommendationSerializer):
    reader = RecommendationSerializer
    fixed: ClassVar[dict[str, str | Promise]] = {
        **dict.fromkeys(["id", *RecommendationSerializer.Meta.read_only_fields, "created_at"], FIXED),
        "remedy": _("A remedy is not changed but replaced."),
    }
    remedy = None  # type: ignore[assignment]
    seen = SeenRecommendationSerializer(
        required=False,
        help_text="what was read before: answered with 409 `changed_meanwhile` and what is `current` when it is not so "
        "any more; without it the last one to change wins",
    )

    class Meta(RecommendationSerializer.Meta):
        fields = ["dosage", "frequency", "duration_days", "instructions", "seen"]


class StopSerializer(serializers.Serializer[Any]):
    reason = text(500)


class ReplaceSerializer(RecommendationSerializer):
    reason = text(500, write_only=True)

    class Meta(RecommendationSerializer.Meta):
        fields = [*RecommendationSerializer.Meta.fields, "reason"]


class GlassBreakSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, help_text="three words or more")


class GlassBrokenSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField(help_text="so long it is open, if there is such a record")


class BrokenGlassSerializer(FieldsByRole, serializers.ModelSerializer[BrokenGlass]):
    resource = Resource.GLASS
    practitioner = PersonField(read_only=True)
    reason = serializers.CharField(read_only=True)

    class Meta:
        model = BrokenGlass
        fields = ["id", "practitioner", "at", "until", "reason", "reviewed_at"]
        read_only_fields = fields


class ContraindicationSerializer(FieldsByRole, serializers.ModelSerializer[Contraindication]):
    resource = Resource.CONTRAINDICATION
    remedy = serializers.SlugRelatedField(slug_field="slug", queryset=Remedy.objects.all())  # a retired one, too
    remedy_name = serializers.CharField(source="remedy.name", read_only=True)
    cause_name = serializers.CharField(source="get_cause_display", read_only=True)
    reason = text(500)
    stated_by = PersonField(read_only=True, allow_null=True)
    lifted_by = PersonField(read_only=True, allow_null=True)

    class Meta:
        model = Contraindication
        fields = [
            "id",
            "remedy",
            "remedy_name",
            "cause",
            "cause_name",
            "reason",
            "stated_at",
            "stated_by",
            "lifted_at",
            "lifted_by",
        ]


class StatedContraindicationSerializer(ContraindicationSerializer):
    """With what is given against it: nothing is stopped but by a practitioner."""

    active_recommendations = RecommendationSerializer(many=True, read_only=True)

    class Meta(ContraindicationSerializer.Meta):
        fields = [*ContraindicationSerializer.Meta.fields, "active_recommendations"]
