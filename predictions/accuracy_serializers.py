"""The shape of what predictions turned out to be worth."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from avicenna.pictures import PictureQuerySerializer
from predictions.accuracy import ATTRIBUTES, MONTHS, MOST_MONTHS


class AccuracyQuerySerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="of the model; 0: the estimate from the evidence"
    )
    months = serializers.IntegerField(default=MONTHS, min_value=1, max_value=MOST_MONTHS)


class AccuracyChartQuerySerializer(AccuracyQuerySerializer, PictureQuerySerializer):
    pass


class IntervalField(serializers.ListField):
    """Two ends that hold 95 %."""

    child = serializers.FloatField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_length": 2, "max_length": 2, **kwargs})


class MeasuredSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField()
    interval = IntervalField(allow_null=True, help_text="95 %; null where there are too few to say")


class CalibrationBinSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    predicted = serializers.FloatField()
    observed = serializers.FloatField()
    interval = IntervalField(help_text="where the true share of successes lies, 95 %")


class GroupFiguresSerializer(serializers.Serializer[Any]):
    outcomes = serializers.IntegerField(help_text="shown predictions with a standing report")
    patients = serializers.IntegerField()
    success_rate = serializers.FloatField()
    predicted_rate = serializers.FloatField(help_text="mean of what was predicted")
    bias = MeasuredSerializer(help_text="predicted minus happened, on average")
    auc = MeasuredSerializer(allow_null=True, help_text="null where all ended the same way")
    brier = MeasuredSerializer()
    log_loss = serializers.FloatField()
    baseline_brier = serializers.FloatField(help_text="of always saying the overall success rate")
    baseline_log_loss = serializers.FloatField()
    skill = MeasuredSerializer(allow_null=True, help_text="the share of the baseline's Brier score that is saved")
    calibration_error = serializers.FloatField()
    calibration_error_by_chance = serializers.FloatField(help_text="what true probabilities would show on average")
    calibration_error_at_least = serializers.FloatField(help_text="lower 95 % bound of the error itself")
    verdict = serializers.ChoiceField(
        choices=["too_few", "off", "in_line"], help_text="whether the calibration error is surely above 0.05"
    )


class FiguresSerializer(GroupFiguresSerializer):
    bins = CalibrationBinSerializer(many=True)


class VersionFiguresSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(help_text="0: the estimate from the evidence")
    figures = FiguresSerializer()


class MonthFiguresSerializer(VersionFiguresSerializer):
    month = serializers.DateField(help_text="its first day, by the date of the report")


class GroupSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="empty: not known")
    figures = GroupFiguresSerializer()


class GapSerializer(serializers.Serializer[Any]):
    measure = serializers.ChoiceField(choices=["bias", "auc"])
    size = serializers.FloatField(help_text="the largest difference between two groups")
    interval = IntervalField(help_text="of the difference of these two, 95 %")
    lower = serializers.CharField()
    higher = serializers.CharField()
    by_chance = serializers.FloatField(help_text="exceeded once in a hundred times if all groups were alike")
    is_beyond_chance = serializers.BooleanField()


class BreakdownSerializer(serializers.Serializer[Any]):
    attribute = serializers.ChoiceField(choices=ATTRIBUTES)
    groups = GroupSerializer(many=True, source="fairness.groups", help_text="of five patients or more, largest first")
    held_back = serializers.IntegerField(source="fairness.held_back", help_text="patients in smaller groups")
    gaps = GapSerializer(many=True, source="fairness.gaps")


class AccuracySerializer(serializers.Serializer[Any]):
    since = serializers.DateField()
    overall = FiguresSerializer(allow_null=True, help_text="null where nobody reported on what was shown")
    versions = VersionFiguresSerializer(many=True)
    months = MonthFiguresSerializer(many=True)
    groups = BreakdownSerializer(many=True)
