from __future__ import annotations

from typing import Any

from rest_framework import serializers

from predictions.levels import Level
from predictions.ranking import Prediction
from predictions.reasons import Wording


class EvidenceNoteSerializer(serializers.Serializer[Any]):
    source = serializers.ChoiceField(  # type: ignore[assignment]  # what the score rests on
        choices=["own_history", "similar_patients", "remedy_history", "prior"]
    )
    method = serializers.ChoiceField(choices=["model", "effectiveness"])
    feedbacks = serializers.IntegerField(help_text="reports on this remedy in the last 90 days")
    similar_patients = serializers.IntegerField(
        allow_null=True, help_text="people of the same mizaj who reported on it; null for fewer than 5"
    )


class PredictionSerializer(serializers.Serializer[Any]):
    recommendation = serializers.UUIDField(source="recommendation.pk")
    remedy = serializers.CharField(source="recommendation.remedy.slug")
    remedy_name = serializers.CharField(source="recommendation.remedy.name")
    score = serializers.FloatField(help_text="what ranks at the asked level")
    predicted_effectiveness = serializers.FloatField(help_text="mean success probability for this patient")
    interval = serializers.ListField(child=serializers.FloatField(), help_text="95 %")
    confidence = serializers.FloatField()
    evidence = EvidenceNoteSerializer()
    reasons = serializers.SerializerMethodField()

    def get_reasons(self, prediction: Prediction) -> list[str]:
        wording: Wording = self.context["wording"]
        return wording.reasons(prediction)


class RankingSerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField(source="diagnosis.pk")
    optimization_level = serializers.ChoiceField(choices=Level.choices, source="level")
    model_version = serializers.IntegerField(allow_null=True, help_text="null before a model was trained")
    predictions = PredictionSerializer(many=True)


class RankingQuerySerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField()
    optimization_level = serializers.ChoiceField(choices=Level.choices, default=Level.BALANCED)


class ModelSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    trained_at = serializers.DateTimeField()
    trained_from = serializers.DateTimeField(allow_null=True, help_text="the first report it learned from")
    trained_until = serializers.DateTimeField(allow_null=True, help_text="the last report it learned from")
    half_life = serializers.FloatField(
        allow_null=True, help_text="days after which a report counts half; null where none is forgotten"
    )
    training_size = serializers.IntegerField(help_text="reports it learned from")
    holdout_size = serializers.IntegerField(help_text="the newest reports, on which it was measured before it saw them")
    metrics = serializers.DictField()
    scales = serializers.DictField()
