from __future__ import annotations

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.access import Act, Resource, reach
from avicenna.fields import one_to_five, text
from avicenna.serializers import FIXED, ChangeSerializer
from diagnoses.models import SideEffect
from diagnoses.serializers import active
from feedback.models import COMMENT_LENGTH, Feedback, SevereFlag, SideEffectReport
from feedback.summaries import DEFAULT_DAYS, MAX_DAYS, Overview

# How many reports may be sent at once.
BATCH_SIZE = 50


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
    side_effects = SideEffectReportSerializer(source="effects", many=True, read_only=True)

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
        """Between the patient and the care team; what a patient took back is the patient's alone to read.

        The context's `reader` is the role of who asks.
        """
        field = "withdrawn_comment" if feedback.is_withdrawn else "comment"
        is_shown = reach(self.context["reader"], Act.READ, Resource.FEEDBACK, field)
        return str(feedback.comment) if is_shown else ""


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
    recommendation = serializers.UUIDField(source="recommendation_id")
    diagnosis = serializers.UUIDField(source="diagnosis_id", required=False)
    client_id = serializers.UUIDField(required=False)


class ChangedFeedbackSerializer(ChangeSerializer, ReportSerializer):
    reader = FeedbackSerializer
    fixed: ClassVar[dict[str, str | Promise]] = dict.fromkeys(
        ["id", "recommendation", "diagnosis", "remedy", "client_id", "created_at", "withdrawn_at"], FIXED
    )


class BatchSerializer(serializers.Serializer[Any]):
    """Up to BATCH_SIZE reports; each is looked at by itself later."""

    items = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=BATCH_SIZE)


class BatchAnswerSerializer(serializers.Serializer[Any]):
    """One for each item, in their order: `feedback` where status is 200 or 201, else `error`."""

    status = serializers.IntegerField()
    feedback = FeedbackSerializer(required=False)
    error = serializers.DictField(required=False)


class DueQuerySerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField(help_text="when today began where the patient is")


class EffectTallySerializer(serializers.Serializer[Any]):
    effect = serializers.CharField(source="effect.slug")
    name = serializers.CharField(source="effect.name")
    reports = serializers.IntegerField()
    severest = serializers.IntegerField(help_text="1-5")


class SummarySerializer(serializers.Serializer[Any]):
    reports = serializers.IntegerField(help_text="those that were not withdrawn, of all time")
    ratings = serializers.DictField(child=serializers.IntegerField(), help_text="how many reports gave each of 1-5")
    average_rating = serializers.FloatField(allow_null=True)
    average_improvement = serializers.FloatField(allow_null=True)
    average_compliance = serializers.FloatField(allow_null=True)
    side_effects = EffectTallySerializer(many=True)
    first_at = serializers.DateTimeField(allow_null=True)
    last_at = serializers.DateTimeField(allow_null=True)


class RecommendationSummarySerializer(serializers.Serializer[Any]):
    recommendation = serializers.UUIDField()
    remedy = serializers.CharField()
    remedy_name = serializers.CharField()
    status = serializers.CharField()
    summary = SummarySerializer()


class OverviewSerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField(source="diagnosis.pk")
    total = SummarySerializer()
    recommendations = serializers.SerializerMethodField()

    def get_recommendations(self, overview: Overview) -> RecommendationSummarySerializer(many=True):  # type: ignore[valid-type]  # drf-spectacular reads it
        rows = [
            {
                "recommendation": recommendation.pk,
                "remedy": recommendation.remedy.slug,
                "remedy_name": recommendation.remedy.name,
                "status": recommendation.status,
                "summary": summary,
            }
            for recommendation, summary in overview.recommendations
        ]
        return RecommendationSummarySerializer(rows, many=True).data


class CourseQuerySerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=DEFAULT_DAYS)


class ReportedSerializer(serializers.ModelSerializer[Feedback]):
    class Meta:
        model = Feedback
        fields = ["id", "created_at", "rating", "symptom_improvement"]


class FeedbackCourseSerializer(serializers.Serializer[Any]):
    recommendation = serializers.UUIDField(source="recommendation.pk")
    remedy = serializers.CharField(source="recommendation.remedy.slug")
    remedy_name = serializers.CharField(source="recommendation.remedy.name")
    status = serializers.CharField(source="recommendation.status")
    reports = ReportedSerializer(many=True, help_text="those that were not withdrawn, oldest first")


class SevereFlagSerializer(serializers.ModelSerializer[SevereFlag]):
    feedback = serializers.UUIDField(source="feedback_id", read_only=True)
    diagnosis = serializers.UUIDField(source="feedback.diagnosis_id", read_only=True)
    condition_name = serializers.CharField(source="feedback.diagnosis.condition.name", read_only=True)
    patient = serializers.UUIDField(source="feedback.patient_id", read_only=True)
    patient_name = serializers.CharField(source="feedback.patient.full_name", read_only=True)
    recommendation = serializers.UUIDField(source="feedback.recommendation_id", read_only=True)
    remedy = serializers.CharField(source="feedback.recommendation.remedy.slug", read_only=True)
    remedy_name = serializers.CharField(source="feedback.recommendation.remedy.name", read_only=True)
    side_effects = SideEffectReportSerializer(source="feedback.side_effects", many=True, read_only=True)
    looked_at_by = serializers.CharField(source="looked_at_by.name", default=None, read_only=True, allow_null=True)

    class Meta:
        model = SevereFlag
        fields = [
            "id", "feedback", "diagnosis", "condition_name", "patient", "patient_name", "recommendation", "remedy",
            "remedy_name", "side_effects", "raised_at", "looked_at", "looked_at_by",
        ]  # fmt: skip
