from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from predictions.models import PredictionModel
from predictions.registry import registry
from predictions.training import Trained

KEPT_VERSIONS = 5


@transaction.atomic
def store_model(trained: Trained) -> PredictionModel:
    """Keeps the model as a new version and puts it to use when it is not worse than the present one."""
    newest = PredictionModel.objects.aggregate(newest=Max("version"))["newest"] or 0
    stored = PredictionModel.objects.create(
        version=newest + 1,
        training_size=trained.training_size,
        holdout_size=trained.holdout_size,
        metrics=trained.metrics(),
        scales=trained.scales,
        coefficients=trained.model.to_dict(),
    )
    if trained.is_worthy:
        activate_model(stored)
    old = PredictionModel.objects.filter(is_active=False).order_by("-version")[KEPT_VERSIONS:]
    PredictionModel.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    return stored


@transaction.atomic
def activate_model(model: PredictionModel) -> None:
    PredictionModel.objects.filter(is_active=True).update(is_active=False)
    model.is_active = True
    model.save(update_fields=["is_active"])
    transaction.on_commit(registry.forget, robust=True)
