from __future__ import annotations

from math import isfinite
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from diagnoses.models import Recommendation
from predictions.levels import Level
from predictions.optimization import SURELY, Optimization
from predictions.profile import Profile
from predictions.ranking import LeftOut, Prediction, Ranking
from predictions.reasons import LEFT_OUT, NOTHING_REACHES, NOTHING_TO_RANK, REACHED, Wording, wording_for
from predictions.score_history import DEFAULT_DAYS, MAX_DAYS, Course

# How many diagnoses may be asked about at once.
BATCH = 20


class EvidenceNoteSerializer(serializers.Serializer[Any]):
    source = serializers.ChoiceField(  # type: ignore[assignment]  # what the score rests on
        choices=["own_history", "similar_patients", "remedy_history", "prior"],
        help_text="what the score rests on most",
    )
    method = serializers.ChoiceField(choices=["model", "effectiveness"])
    feedbacks = serializers.IntegerField(
        help_text="reports on this remedy in the last 90 days; this patient's own where fewer than 5 people reported"
    )
    similar_patients = serializers.IntegerField(
        allow_null=True,
        help_text="people of the same mizaj who reported on it; null where that would tell of fewer than 5",
    )


class InfluenceSerializer(serializers.Serializer[Any]):
    group = serializers.CharField(help_text="of features: remedy, condition, remedy_mizaj, patient …")
    direction = serializers.ChoiceField(choices=["up", "down"])
    weight = serializers.FloatField(help_text="by how much, on the logit scale")
    text = serializers.CharField()


class PredictionSerializer(serializers.Serializer[Any]):
    recommendation = serializers.UUIDField()
    remedy = serializers.CharField()
    remedy_name = serializers.CharField()
    score = serializers.FloatField(help_text="what ranks at the asked level")
    predicted_effectiveness = serializers.FloatField(help_text="mean success probability for this patient")
    interval = serializers.ListField(child=serializers.FloatField(), help_text="95 %")
    confidence = serializers.FloatField()
    evidence = EvidenceNoteSerializer()
    reasons = serializers.ListField(child=serializers.CharField(), help_text="why, in the reader's language")
    influences = InfluenceSerializer(many=True, help_text="what moved the score most; empty before a model was trained")


class LeftOutSerializer(serializers.Serializer[Any]):
    recommendation = serializers.UUIDField()
    remedy = serializers.CharField()
    remedy_name = serializers.CharField()
    code = serializers.ChoiceField(choices=list(LEFT_OUT))
    reason = serializers.CharField(help_text="in the reader's language")


class RankingSerializer(serializers.Serializer[Any]):
    """Its context names the `reader`. Written out by hand: field by field, twenty rankings take ten times as long."""

    diagnosis = serializers.UUIDField()
    optimization_level = serializers.ChoiceField(choices=Level.choices)
    model_version = serializers.IntegerField(allow_null=True, help_text="null before a model was trained")
    predictions = PredictionSerializer(many=True)
    left_out = LeftOutSerializer(many=True, help_text="open recommendations that are not ranked, and why")

    def to_representation(self, ranking: Ranking) -> dict[str, Any]:
        wording = wording_for(self.context["reader"], ranking.diagnosis)
        return {
            "diagnosis": str(ranking.diagnosis.pk),
            "optimization_level": ranking.level.value,
            "model_version": ranking.model_version,
            "predictions": [_prediction(one, wording) for one in ranking.predictions],
            "left_out": [_left_out(one) for one in ranking.left_out],
        }


def _named(recommendation: Recommendation) -> dict[str, Any]:
    remedy = recommendation.remedy
    return {"recommendation": str(recommendation.pk), "remedy": remedy.slug, "remedy_name": remedy.name}


def _prediction(prediction: Prediction, wording: Wording) -> dict[str, Any]:
    influences = wording.influences(prediction)
    return {
        **_named(prediction.recommendation),
        "score": prediction.score,
        "predicted_effectiveness": prediction.predicted_effectiveness,
        "interval": prediction.interval,
        "confidence": prediction.confidence,
        "evidence": vars(prediction.evidence),
        "reasons": wording.reasons(prediction, influences),
        "influences": [vars(influence) for influence in influences],
    }


def _left_out(row: LeftOut) -> dict[str, Any]:
    return {**_named(row.recommendation), "code": row.code, "reason": str(LEFT_OUT[row.code])}


class RankingQuerySerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField()
    optimization_level = serializers.ChoiceField(choices=Level.choices, default=Level.BALANCED)


class RankingBatchSerializer(serializers.Serializer[Any]):
    """Up to BATCH diagnoses, each one that the caller may see."""

    diagnoses = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=BATCH)
    optimization_level = serializers.ChoiceField(choices=Level.choices, default=Level.BALANCED)

    def validate_diagnoses(self, ids: list[UUID]) -> list[UUID]:
        if len(set(ids)) < len(ids):
            raise serializers.ValidationError(_("Each diagnosis may be named once."))
        return ids


class TargetSerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField()
    target_effectiveness = serializers.FloatField(
        min_value=0, max_value=1, help_text="the success probability to be reached"
    )

    def validate_target_effectiveness(self, target: float) -> float:
        if not isfinite(target):  # what is no number is neither too small nor too large
            raise serializers.ValidationError(_("A number from 0 to 1 is needed."))
        return target


class ChosenSerializer(PredictionSerializer):
    chance_of_reaching = serializers.FloatField(help_text="posterior probability of at least the target")


class OptimizationSerializer(serializers.Serializer[Any]):
    """Its context names the `reader`."""

    diagnosis = serializers.UUIDField()
    model_version = serializers.IntegerField(allow_null=True, help_text="null before a model was trained")
    target_effectiveness = serializers.FloatField()
    reached = serializers.BooleanField(help_text=f"each reaches the target with a probability of {SURELY} or more")
    message = serializers.CharField(help_text="the same in the reader's language")
    predictions = ChosenSerializer(many=True, help_text="likeliest first; the best 3 where the target is not reached")
    left_out = LeftOutSerializer(many=True)

    def to_representation(self, found: Optimization) -> dict[str, Any]:
        ranking = found.ranking
        wording = wording_for(self.context["reader"], ranking.diagnosis)
        chosen = [{**_prediction(one, wording), "chance_of_reaching": chance} for one, chance in found.chosen]
        return {
            "diagnosis": str(ranking.diagnosis.pk),
            "model_version": ranking.model_version,
            "target_effectiveness": found.target,
            "reached": found.reached,
            "message": str(NOTHING_TO_RANK if not chosen else REACHED if found.reached else NOTHING_REACHES),
            "predictions": chosen,
            "left_out": [_left_out(one) for one in ranking.left_out],
        }


class LeaningSerializer(serializers.Serializer[Any]):
    reports = serializers.IntegerField(source="counts.n", help_text="of this patient, ever")
    success_rate = serializers.FloatField(source="counts.rate", allow_null=True)
    odds_factor = serializers.FloatField(
        allow_null=True, help_text="by which the model multiplies the odds of success; null where it learned nothing"
    )


class KindLeaningSerializer(LeaningSerializer):
    kind = serializers.CharField()
    kind_name = serializers.CharField()


class ExperienceSerializer(serializers.Serializer[Any]):
    remedy = serializers.CharField(source="remedy.slug")
    remedy_name = serializers.CharField(source="remedy.name")
    kind = serializers.CharField(source="remedy.kind")
    reports = serializers.IntegerField(source="estimate.sample_size")
    success_rate = serializers.FloatField(source="estimate.success_rate")
    effectiveness_score = serializers.FloatField(source="estimate.score", help_text="for this patient, by own reports")
    interval = serializers.ListField(child=serializers.FloatField(), source="estimate.interval", help_text="95 %")


class ProfileSerializer(serializers.Serializer[Any]):
    patient = serializers.UUIDField(source="patient.pk")
    mizaj = serializers.CharField(source="patient.mizaj_type", help_text="empty where it is not known")
    mizaj_name = serializers.CharField(source="patient.get_mizaj_type_display")
    model_version = serializers.IntegerField(allow_null=True)
    overall = LeaningSerializer()
    kinds = serializers.SerializerMethodField()
    best = ExperienceSerializer(many=True, help_text="three above the patient's average, the surest first")
    worst = ExperienceSerializer(many=True, help_text="three below it, the surest first")

    def get_kinds(self, profile: Profile) -> KindLeaningSerializer(many=True):  # type: ignore[valid-type]  # drf-spectacular reads it
        return [
            {"kind": kind.value, "kind_name": str(kind.label), **LeaningSerializer(leaning).data}
            for kind, leaning in profile.kinds.items()
        ]


class HistoryQuerySerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField()
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=DEFAULT_DAYS)


class PointSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    effectiveness_score = serializers.FloatField(source="estimate.score")
    interval = serializers.ListField(child=serializers.FloatField(), source="estimate.interval", help_text="95 %")
    sample_size = serializers.IntegerField(source="estimate.sample_size", help_text="own reports in the 90 days before")
    rank = serializers.IntegerField(help_text="1 for the best of those given by then")


class CourseSerializer(serializers.Serializer[Any]):
    recommendation = serializers.UUIDField(source="recommendation.pk")
    remedy = serializers.CharField(source="recommendation.remedy.slug")
    remedy_name = serializers.CharField(source="recommendation.remedy.name")
    points = serializers.SerializerMethodField(help_text="one for each day, oldest first, from when it was given")

    def get_points(self, course: Course) -> PointSerializer(many=True):  # type: ignore[valid-type]  # drf-spectacular reads it
        return [
            {
                "day": point.day.isoformat(),
                "effectiveness_score": point.estimate.score,
                "interval": list(point.estimate.interval),
                "sample_size": point.estimate.sample_size,
                "rank": point.rank,
            }
            for point in course.points
        ]


class HistorySerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField(source="diagnosis.pk")
    days = serializers.IntegerField()
    recommendations = CourseSerializer(many=True, source="courses")


class ModelSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    trained_at = serializers.DateTimeField()
    trained_from = serializers.DateTimeField(allow_null=True, help_text="the first report it learned from")
    trained_until = serializers.DateTimeField(allow_null=True, help_text="the last report it learned from")
    half_life = serializers.FloatField(
        allow_null=True, help_text="days after which a report counts half; null where none is forgotten"
    )
    softening = serializers.FloatField(help_text="how far outcomes lean on the improvement that was reported, 0..1")
    training_size = serializers.IntegerField(help_text="reports it learned from")
    holdout_size = serializers.IntegerField(help_text="the newest reports, on which it was measured before it saw them")
    metrics = serializers.DictField()
    scales = serializers.DictField()
