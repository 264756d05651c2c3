from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection, transaction

from diagnoses.models import Diagnosis, Recommendation
from realtime.events import RecommendationState


def take_snapshot(diagnosis_id: UUID) -> tuple[int, dict[str, Any]]:
    """(head, state) of a diagnosis as of one moment. Raises `Diagnosis.DoesNotExist`."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        diagnosis = Diagnosis.objects.select_related("condition").get(pk=diagnosis_id)
        recommendations = list(Recommendation.objects.for_list().filter(diagnosis=diagnosis_id))
    state = {
        "diagnosis": {
            "id": str(diagnosis.pk),
            "condition": diagnosis.condition.slug,
            "condition_name_en": diagnosis.condition.name_en,
            "condition_name_fa": diagnosis.condition.name_fa,
            "severity": diagnosis.severity,
            "imbalance": diagnosis.imbalance,
            "status": diagnosis.status,
        },
        "recommendations": [RecommendationState.of(r).model_dump(mode="json") for r in recommendations],
    }
    return diagnosis.head, state
