"""Brings reports from files into the record, through the same actions as everything else.

Every row has the same ids each time it is read, and is committed whole: a run that was stopped, however roughly, is
finished by running it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from avicenna.errors import ActionError
from diagnoses.actions import change_patient, create_patient, recommend, record_diagnosis
from diagnoses.models import Diagnosis, Patient, Recommendation
from feedback.actions import submit
from feedback.importing.records import Reject, Unusable
from feedback.importing.sources import Entry, Grades, Source
from feedback.importing.vocabulary import Term
from feedback.models import Feedback

BATCH = 100
# Neither format states it.
SEVERITY = 3


@dataclass
class Tally:
    """What became of the rows so far. Only what is committed counts."""

    imported: int = 0
    already_there: int = 0
    rejected: int = 0
    patients: int = 0

    @property
    def rows(self) -> int:
        return self.imported + self.already_there + self.rejected

    def __iadd__(self, other: Tally) -> Tally:
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name) + getattr(other, column.name))
        return self


@dataclass
class _Known:
    """The rows of the database that a batch may meet."""

    grades: dict[UUID, Grades] = field(default_factory=dict)
    patients: dict[UUID, Patient] = field(default_factory=dict)
    diagnoses: dict[UUID, Diagnosis] = field(default_factory=dict)
    recommendations: dict[UUID, Recommendation] = field(default_factory=dict)

    def load(self, entries: list[Entry]) -> None:
        reports = Feedback.objects.filter(
            # the index begins with the patient
            patient__in={entry.patient_id for entry in entries},
            client_id__in=[entry.client_id for entry in entries],
        )
        for report in reports.only("client_id", "rating", "symptom_improvement", "compliance"):
            self.grades[report.client_id] = (report.rating, report.symptom_improvement, report.compliance)
        self.patients |= Patient.objects.in_bulk({entry.patient_id for entry in entries} - self.patients.keys())
        self.diagnoses |= Diagnosis.objects.for_list().in_bulk({entry.diagnosis_id for entry in entries})
        self.recommendations |= Recommendation.objects.for_list().in_bulk(
            {entry.recommendation_id for entry in entries}
        )


class Import:
    """One run over a source; `tally` tells how far it came."""

    def __init__(self, source: Source, *, dry_run: bool = False) -> None:
        self.source = source
        self.dry_run = dry_run
        self.tally = Tally()
        self._known = _Known()

    def run(self) -> Iterator[list[Reject]]:
        """Commits batch after batch and yields what each had to reject."""
        items = self.source.entries()
        size = BATCH if self.dry_run else batch_size()
        while batch := list(islice(items, size)):
            tally, rejects = self._check(batch) if self.dry_run else self._commit(batch)
            self.tally += tally
            yield rejects

    @transaction.atomic
    def _commit(self, batch: list[Entry | Reject]) -> tuple[Tally, list[Reject]]:
        self._known = _Known()
        return self._check(batch)

    def _check(self, batch: list[Entry | Reject]) -> tuple[Tally, list[Reject]]:
        """A dry run keeps in mind what it would have written, so that it counts like a real one."""
        self._known.load([item for item in batch if isinstance(item, Entry)])
        tally, rejects = Tally(), []
        for item in batch:
            if isinstance(item, Reject):
                rejects.append(item)
                continue
            try:
                self._take(item, tally)
            except Unusable as reason:
                rejects.append(Reject(item.line, str(reason), item.text))
            except ActionError as refusal:
                about = f"{refusal.field}: " if refusal.field else ""
                rejects.append(Reject(item.line, f"{about}{refusal}", item.text))
        tally.rejected = len(rejects)
        return tally, rejects

    def _take(self, entry: Entry, tally: Tally) -> None:
        if (grades := self._known.grades.get(entry.client_id)) is not None:
            if grades != entry.grades:
                raise Unusable("another report of this patient on this remedy and day is already there")
            tally.already_there += 1
            return
        patient = self._known.patients.get(entry.patient_id)
        news = _news(patient, entry.person) if patient else {}
        if self.dry_run:
            self._imagine(entry, patient, news)
        else:
            self._store(entry, patient, news)
        self._known.grades[entry.client_id] = entry.grades
        tally.imported += 1
        tally.patients += patient is None

    def _store(self, entry: Entry, patient: Patient | None, news: Mapping[str, Any]) -> None:
        condition, remedy = _saved(entry.condition), _saved(entry.remedy)
        known = self._known
        # What an action refuses takes the patient and the diagnosis made for it back with it.
        with transaction.atomic():
            if patient is None:
                patient = _create_patient(entry)
            elif news:
                patient = change_patient(actor=None, patient=patient, changes=news)
            diagnosis = known.diagnoses.get(entry.diagnosis_id) or record_diagnosis(
                actor=None,
                patient=patient,
                condition=condition,
                severity=SEVERITY,
                id=entry.diagnosis_id,
                **entry.created,
            )
            recommendation = known.recommendations.get(entry.recommendation_id) or recommend(
                actor=None, diagnosis=diagnosis, remedy=remedy, id=entry.recommendation_id, **entry.created
            )
            _submit(entry, recommendation)
        known.patients[entry.patient_id] = patient
        known.diagnoses[entry.diagnosis_id] = diagnosis
        known.recommendations[entry.recommendation_id] = recommendation

    def _imagine(self, entry: Entry, patient: Patient | None, news: Mapping[str, Any]) -> None:
        patient = patient or Patient(id=entry.patient_id, full_name=entry.full_name, **entry.person)
        for name, value in news.items():
            setattr(patient, name, value)
        self._known.patients[entry.patient_id] = patient


def batch_size() -> int:
    """How many rows are committed together.

    SQLite has one writer at a time and waits for the disk at every commit. Elsewhere a transaction of many reports
    holds the sums that patients' own reports of that day wait for, and meets them in a circle: measured on
    PostgreSQL, four in ten of those failed with a deadlock. One report at a time takes its locks in their order.
    """
    return BATCH if connection.vendor == "sqlite" else 1


def _saved(term: Term) -> Term:
    """Gives a new term its row; another run may have been faster."""
    if term.pk is None:
        values = {field.name: getattr(term, field.name) for field in term._meta.concrete_fields if field.name != "id"}
        stored, _ = type(term)._default_manager.get_or_create(slug=values.pop("slug"), defaults=values)
        term.pk = stored.pk
    return term


def _create_patient(entry: Entry) -> Patient:
    return create_patient(
        actor=None,
        full_name=entry.full_name,
        id=entry.patient_id,
        source=Patient.Source.IMPORT,
        **entry.person,
        **entry.created,
    )


def _submit(entry: Entry, recommendation: Recommendation) -> None:
    submit(
        actor=None,
        recommendation_id=recommendation.pk,
        rating=entry.rating,
        symptom_improvement=entry.improvement,
        compliance=entry.compliance,
        comment=entry.comment,
        side_effects=entry.side_effects,
        client_id=entry.client_id,
        at=entry.at,
    )


def _news(patient: Patient, person: Mapping[str, Any]) -> dict[str, Any]:
    """What a row adds to what is known about its patient. Nobody is two people: a contradiction is an error."""
    news: dict[str, Any] = {}
    for name, value in person.items():
        known = getattr(patient, name)
        if value and not known:
            news[name] = value
        elif value and _comparable(value) != _comparable(known):
            raise Unusable(f"{_COLUMNS[name]} differs from what is known about this patient")
    return news


_COLUMNS = {"birth_date": "birth_year", "sex": "sex", "mizaj_type": "mizaj"}


def _comparable(value: Any) -> Any:
    return value.year if isinstance(value, date) else value
