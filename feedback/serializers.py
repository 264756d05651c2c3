from __future__ import annotations

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import Role
from avicenna.fields import one_to_five, text
from avicenna.permissions import role_of
from avicenna.serializers import FIXED, ChangeSerializer
from diagnoses.models import Recommendation, SideEffect
from diagnoses.serializers import active
from feedback.models import COMMENT_LENGTH, Feedback, SideEffectReport


class SideEffectReportSerializer(serializers.ModelSerializer[SideEffectReport]):
    effect = active(SideEffect)
    name = serializers.CharField(source="effect.name", read_only=True)
    severity = one_to_five()

    class Meta:
        model = SideEffectReport
        fields = ["effect", "name", "severity"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A report may be changed in part; each side effect in it is told whole."""
        if missing := {"effect", "severity"} - attrs.keys():
            why = self.fields["effect"].error_messages["required"]
            raise serializers.ValidationError({name: [why] for name in missing})
        return attrs


class FeedbackSerializer(serializers.ModelSerializer[Feedback]):
    remedy = serializers.CharField(source="recommendation.remedy.slug", read_only=True)
    remedy_name = serializers.CharField(source="recommendation.remedy.name", read_only=True)
    comment = serializers.SerializerMethodField()
    side_effects = SideEffectReportSerializer(many=True, read_only=True)

    class Meta:
        model = Feedback
        fields = [
            "id",
            "recommendation",
            "diagnosis",
            "remedy",
            "remedy_name",
            "rating",
            "symptom_improvement",
            "compliance",
            "comment",
            "side_effects",
            "client_id",
            "created_at",
            "updated_at",
            "withdrawn_at",
        ]

    def get_comment(self, feedback: Feedback) -> str:
        """Between the patient and the care team; what a patient took back is the patient's alone to read."""
        readers = {Role.PATIENT} if feedback.is_withdrawn else {Role.PATIENT, Role.PRACTITIONER}
        return str(feedback.comment) if role_of(self.context["request"]) in readers else ""


class VisibleRecommendationField(serializers.PrimaryKeyRelatedField[Recommendation]):
    """A recommendation the caller may see; any other does not exist."""

    def get_queryset(self) -> Any:
        return Recommendation.objects.visible_to(self.context["request"].user).select_related("remedy")


class ReportSerializer(serializers.Serializer[Any]):
    """What a patient may say, new or changed. `side_effects` arrives as a mapping from effect to severity."""

    rating = one_to_five()
    symptom_improvement = one_to_five()
    compliance = one_to_five(required=False, allow_null=True)
    comment = text(COMMENT_LENGTH)
    side_effects = SideEffectReportSerializer(many=True, required=False, max_length=40)  # type: ignore[call-arg]  # of the list

    def validate_side_effects(self, given: list[dict[str, Any]]) -> dict[SideEffect, int]:
        effects = {item["effect"]: item["severity"] for item in given}
        if len(effects) < len(given):
            raise serializers.ValidationError(_("The same side effect is named twice."))
        return effects


class NewFeedbackSerializer(ReportSerializer):
    recommendation = VisibleRecommendationField(queryset=Recommendation.objects.none())
    diagnosis = serializers.UUIDField(required=False)
    client_id = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        diagnosis = attrs.pop("diagnosis", None)
        if diagnosis and diagnosis != attrs["recommendation"].diagnosis_id:
            raise serializers.ValidationError({"diagnosis": [_("The recommendation belongs to another diagnosis.")]})
        return attrs


class ChangedFeedbackSerializer(ChangeSerializer, ReportSerializer):
    reader = FeedbackSerializer
    fixed: ClassVar[dict[str, str | Promise]] = dict.fromkeys(
        ["id", "recommendation", "diagnosis", "remedy", "client_id", "created_at", "withdrawn_at"], FIXED
    )
