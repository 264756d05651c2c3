"""Each index of the design answers the question it is there for, when PostgreSQL plans it on 1,000,000 reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from analytics import evidence
from analytics.models import SubjectPatient
from analytics.subjects import EVERYTHING, Kind, Subject
from avicenna.sql import Statement
from benchmarks import history
from diagnoses.mizaj import Mizaj
from diagnoses.models import Diagnosis, Patient, Recommendation
from feedback.models import Feedback
from predictions.models import PredictionRecord
from realtime.models import DiagnosisEvent

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans are PostgreSQL's"),
]
REPORTS = 1_000_000
# A stream of a hundred events for each of 10,000 diagnoses, and what was shown of every recommendation in five runs, of
# which every fifth was reported on.
MORE = [
    """
    INSERT INTO realtime_diagnosisevent (diagnosis_id, seq, type, payload, created_at)
    SELECT id, seq, 'feedback_update', '', now()
    FROM (SELECT id FROM diagnoses_diagnosis ORDER BY id LIMIT 10000) AS chosen, generate_series(1, 100) AS seq
    """,
    """
    INSERT INTO predictions_predictionrecord (recommendation_id, diagnosis_id, patient_id, number, model_version,
                                              predicted, lower, upper, sex, age_band, mizaj, shown_at, last_shown_at)
    SELECT r.id, r.diagnosis_id, d.patient_id, number, 1, 0.5, 0.4, 0.6, '', '', '', now(), now()
    FROM diagnoses_recommendation AS r JOIN diagnoses_diagnosis AS d ON d.id = r.diagnosis_id,
         generate_series(1, 5) AS number
    """,
    """
    UPDATE predictions_predictionrecord AS record SET feedback_id = report.id, reported_at = report.created_at
    FROM (SELECT DISTINCT ON (recommendation_id) recommendation_id, id, created_at FROM feedback_feedback
          ORDER BY recommendation_id, created_at DESC) AS report
    WHERE record.recommendation_id = report.recommendation_id AND number = 5
    """,
    "UPDATE diagnoses_recommendation SET effectiveness_score = mod(hashtext(id::text) & 1048575, 1000) / 1000.0",
]


@pytest.fixture
def clinic() -> Iterator[None]:
    history.load(REPORTS)
    call_command("rebuild_analytics", verbosity=0)
    with connection.cursor() as cursor:
        for statement in MORE:
            cursor.execute(statement)
    history.tidy(None)
    yield
    with connection.cursor() as cursor:  # row by row would take minutes
        cursor.execute(f"TRUNCATE {', '.join(history.CATALOGUE + history.TABLES)} CASCADE")


def questions() -> dict[str, QuerySet[object] | Statement]:
    """Index → what it is there for; patients, diagnoses and recommendations are some in the middle."""
    some = Recommendation.objects.select_related("diagnosis").get(pk=history.uuid_of(history.RECOMMENDATION, 100_003))
    patient, a_while_ago = some.diagnosis.patient_id, timezone.now() - timedelta(hours=6)
    reports, shown = Feedback.objects.standing(), PredictionRecord.objects
    recommendation = Subject(Kind.RECOMMENDATION, str(some.pk))
    return {
        "feedback_recommendation_time": reports.filter(recommendation=some)[:20],
        "feedback_diagnosis_time": reports.filter(diagnosis=some.diagnosis_id)[:20],
        "feedback_time": reports.filter(created_at__gte=a_while_ago),
        "feedback_client_id_unique": reports.filter(patient=patient),
        "diagnosis_patient_created": Diagnosis.objects.filter(patient=patient),
        "recommendation_one_active_per_remedy": Recommendation.objects.filter(
            diagnosis=some.diagnosis_id, remedy=some.remedy_id, status=Recommendation.Status.ACTIVE
        ),
        "diagnoses_recommendation_effectiveness_score": Recommendation.objects.order_by("-effectiveness_score")[:20],
        "diagnoses_patient_mizaj_type": Patient.objects.filter(mizaj_type=Mizaj.WARM_DRY)
        .order_by()
        .values("mizaj_type"),
        "rollup_subject_day_unique": evidence.collecting([recommendation]),
        "rollup_kind_day": evidence.collecting_kind(Kind.REMEDY, 30),
        "subject_patient_recent": SubjectPatient.objects.filter(
            kind=EVERYTHING.kind, key=EVERYTHING.key, last_day__gte=timezone.localdate()
        ).values("kind"),
        "event_seq_unique": DiagnosisEvent.objects.filter(diagnosis=some.diagnosis_id, seq__gt=90).order_by("seq"),
        "prediction_record_run": shown.filter(recommendation=some).order_by("-number")[:1],
        "prediction_record_reported": shown.with_outcome(a_while_ago),
    }


def plan(question: QuerySet[object] | Statement) -> str:
    if isinstance(question, QuerySet):
        return question.explain()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {question.sql}", question.parameters)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_every_index_is_used(clinic: None) -> None:
    plans = {index: plan(question) for index, question in questions().items()}

    assert {index: text for index, text in plans.items() if index not in text or "Seq Scan on feedback" in text} == {}
