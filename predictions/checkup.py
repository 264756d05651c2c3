"""How old the model is, and why the predictions for somebody do not get better."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Avg, Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from avicenna.doctor.findings import Findings, error, fine, warning
from diagnoses.models import Diagnosis, Patient, Recommendation
from feedback.models import Feedback
from predictions.engine import DamagedModel, Model
from predictions.models import PredictionModel

PART, WHY = "model", "predictions"
OLD = timedelta(days=30)
# Fewer reports say little about a remedy, and fewer patients little about a mizaj.
FEW_REPORTS, FEW_PATIENTS = 5, 20


def examine_model() -> Findings:
    active = PredictionModel.objects.filter(is_active=True).first()
    reports = Feedback.objects.filter(withdrawn_at=None)
    if active is None:
        if reports.exists():
            yield warning(
                PART,
                f"none is in use, although there are {reports.count()} reports",
                "manage.py train_predictor; until then the evidence alone ranks.",
            )
        else:
            yield fine(PART, "none is in use, and there is nothing to learn from yet")
        return
    try:
        Model.from_dict(active.coefficients)
    except DamagedModel:
        yield error(PART, f"v{active.version} is damaged", "manage.py train_predictor --activate an earlier version.")
        return
    age = timezone.now() - active.trained_at
    unlearned = reports.filter(created_at__gt=active.trained_until).count() if active.trained_until else 0
    said = f"v{active.version}, trained {age.days} days ago on {active.training_size} reports, {unlearned} since"
    if age > OLD and unlearned:
        yield warning(PART, said, "manage.py train_predictor")
    else:
        yield fine(PART, said)


def examine_diagnosis(pk: UUID) -> Findings:
    """Raises `Diagnosis.DoesNotExist`."""
    diagnosis = Diagnosis.objects.select_related("patient").get(pk=pk)
    if not diagnosis.is_active:
        yield warning(WHY, "the diagnosis is not active: it is not ranked any more", "Take it up again, or leave it.")
    open_ones = Recommendation.objects.active().filter(diagnosis=diagnosis)
    if not open_ones.exists():
        yield warning(WHY, "there is no open recommendation, so nothing to rank", "Recommend something.")
    reports = Feedback.objects.filter(withdrawn_at=None)
    silent = open_ones.exclude(pk__in=reports.filter(diagnosis=diagnosis).values("recommendation")).count()
    if silent:
        yield warning(WHY, f"{silent} open recommendations have no report", "Ask the patient to report on them.")
    yield from _of_reports("diagnosis", reports.filter(diagnosis=diagnosis))
    yield from _of_remedies(open_ones)
    yield from examine_patient(diagnosis.patient_id)


def examine_patient(pk: UUID) -> Findings:
    """Raises `Patient.DoesNotExist`."""
    patient = Patient.objects.only("mizaj_type", "birth_date", "sex").get(pk=pk)
    reports = Feedback.objects.filter(withdrawn_at=None, patient=patient)
    yield from _of_reports("patient", reports)
    if not patient.mizaj_type:
        yield warning(WHY, "the patient's mizaj is not recorded", "Record it: what helps hangs on it.")
    else:
        alike = Feedback.objects.filter(withdrawn_at=None, mizaj=patient.mizaj_type)
        others = alike.exclude(patient=patient).aggregate(n=Count("patient", distinct=True))["n"]
        said = f"{others} other patients of the same mizaj have reported"
        if others < FEW_PATIENTS:
            yield warning(WHY, said, "Few: what the model knows comes from all patients. It sharpens as they report.")
        else:
            yield fine(WHY, said)
    missing = [name for name, value in (("birth date", patient.birth_date), ("sex", patient.sex)) if not value]
    if missing:
        yield warning(WHY, f"not recorded: {' and '.join(missing)}", "Record it: groups of it are part of the model.")
    active = PredictionModel.objects.filter(is_active=True).first()
    if active and active.trained_until and (n := reports.filter(created_at__gt=active.trained_until).count()):
        yield warning(
            WHY,
            f"v{active.version} has not learned from the newest {n} reports of this patient",
            "The evidence counts at once, the model when it is trained again: manage.py train_predictor",
        )


def _of_reports(whose: str, reports: QuerySet[Feedback]) -> Findings:
    found = reports.aggregate(n=Count("pk"), rating=Avg("rating"))
    if not found["n"]:
        yield warning(WHY, f"there is no report on this {whose}", "Only what others say is known: ask for some.")
        return
    said = f"{found['n']} reports on this {whose}, {found['rating']:.1f} of 5 on average"
    if found["n"] < FEW_REPORTS:
        yield warning(WHY, said, "Few: the chances stay near what others say, and their range wide.")
    else:
        yield fine(WHY, said)


def _of_remedies(recommendations: QuerySet[Recommendation]) -> Findings:
    """What is known of the remedies from everybody."""
    counted = Feedback.objects.filter(withdrawn_at=None, recommendation__remedy=OuterRef("remedy")).order_by()
    counts = counted.values("recommendation__remedy").annotate(n=Count("pk")).values("n")
    little_known = recommendations.annotate(n=Coalesce(Subquery(counts), 0)).filter(n__lt=FEW_REPORTS).count()
    if little_known:
        yield warning(
            WHY,
            f"{little_known} of the recommended remedies have fewer than {FEW_REPORTS} reports from all patients",
            "Their chance is a guess from remedies of their kind.",
        )
