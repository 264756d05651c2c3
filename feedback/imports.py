"""Brings reports from files into the record, through the same actions as everything else.

Every row has the same ids each time it is read, and is committed whole: a run that was stopped, however roughly, is
finished by running it again.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.text import slugify

from avicenna.errors import ActionError
from avicenna.identifiers import id_for_key
from diagnoses.actions import change_patient, create_patient, recommend, record_diagnosis
from diagnoses.models import CatalogueTerm, Condition, Diagnosis, Patient, Recommendation, Remedy, SideEffect
from feedback import csv_history, druglib
from feedback.actions import submit
from feedback.csv_history import name_key
from feedback.druglib import Reject
from feedback.models import COMMENT_LENGTH, Feedback

BATCH = 100
# Neither format states it.
SEVERITY = 3
IMPORTED = "imported"
DRUGLIB_SOURCE = "UCI Machine Learning Repository, Drug Review Dataset (Druglib.com)"
SLUG_LENGTH, NAME_LENGTH = 80, 200

Term = TypeVar("Term", bound=CatalogueTerm)


class EmptyCatalogue(Exception):
    """There is nothing yet that reports could refer to."""


class Unusable(Exception):
    """Why a row cannot become feedback here."""


@dataclass(frozen=True)
class Entry:
    """One report with all it hangs on. `at` is None for now; terms that are not saved yet are created with it."""

    line: int
    text: str
    patient_id: UUID
    diagnosis_id: UUID
    recommendation_id: UUID
    client_id: UUID
    full_name: str
    condition: Condition
    remedy: Remedy
    rating: int
    improvement: int
    comment: str
    compliance: int | None = None
    side_effects: Mapping[SideEffect, int] = field(default_factory=dict)
    person: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None

    @property
    def grades(self) -> Grades:
        return self.rating, self.improvement, self.compliance

    @property
    def created(self) -> dict[str, Any]:
        return {"created_at": self.at} if self.at else {}


Grades = tuple[int, int, int | None]


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


class Vocabulary(Generic[Term]):
    """The terms of one catalogue, found by slug or by name in either language, however it is spelled."""

    def __init__(self, model: type[Term]) -> None:
        self.model = model
        self._slugs: dict[str, Term] = {}
        self._names: dict[str, list[Term]] = {}
        for term in model._default_manager.all():
            self.add(term)

    def __bool__(self) -> bool:
        return bool(self._slugs)

    def __iter__(self) -> Iterator[Term]:
        return iter(self._slugs.values())

    def add(self, term: Term) -> Term:
        self._slugs[term.slug] = term
        for key in {name_key(term.name_en), name_key(term.name_fa)}:
            self._names.setdefault(key, []).append(term)
        return term

    def with_slug(self, slug: str) -> Term | None:
        return self._slugs.get(slug)

    def find(self, name: str) -> Term:
        if term := self._slugs.get(name.strip().lower()):
            return term
        named = self._names.get(name_key(name), [])
        if len(named) == 1:
            return named[0]
        what = self.model._meta.verbose_name
        if named:
            slugs = ", ".join(sorted(term.slug for term in named))
            raise Unusable(f"{what} “{name}” may be {slugs}: write the slug")
        raise Unusable(f"{what} “{name}” is not in the catalogue")


class Catalogue:
    """Loaded once per run. Raises EmptyCatalogue before `load_catalogue` was run."""

    def __init__(self) -> None:
        self.conditions = Vocabulary(Condition)
        self.remedies = Vocabulary(Remedy)
        self.effects = Vocabulary(SideEffect)
        if not (self.conditions and self.remedies and self.effects):
            raise EmptyCatalogue


class Source(ABC):
    """A file of one format. Reading it writes nothing."""

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        self.path = path
        self.catalogue = catalogue

    @abstractmethod
    def entries(self) -> Iterator[Entry | Reject]:
        """The rows of the file in their order. Raises UnreadableFile."""

    def count(self) -> int:
        """How many rows there are. Raises UnreadableFile if any part of the file cannot be read."""
        return sum(1 for _ in self.entries())


class Druglib(Source):
    """Reviews of drugs: every row is a person of their own, reporting on the day of the import."""

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        super().__init__(path, catalogue)
        other = catalogue.effects.with_slug("other")
        if other is None:
            raise EmptyCatalogue
        self.other = other
        # The last one of a name stays: an imported condition never hides one of the catalogue's own.
        by_origin = sorted(catalogue.conditions, key=lambda term: term.category != IMPORTED)
        self._conditions = {druglib.normalise_condition(term.name_en): term for term in by_origin}

    def entries(self) -> Iterator[Entry | Reject]:
        for item in druglib.read(self.path):
            if isinstance(item, Reject):
                yield item
            elif name := druglib.normalise_condition(item.condition):
                yield self._entry(item, name)
            else:
                yield Reject(item.line, "condition has no letters", f"{item.row_id}\t{item.drug}\t{item.condition}")

    def _entry(self, report: druglib.Report, condition: str) -> Entry:
        return Entry(
            line=report.line,
            text=f"{report.row_id}\t{report.drug}\t{report.condition}",
            patient_id=_id("druglib", "patient", report.row_id),
            diagnosis_id=_id("druglib", "diagnosis", report.row_id),
            recommendation_id=_id("druglib", "recommendation", report.row_id),
            client_id=_id("druglib", "report", report.row_id),
            full_name=f"Druglib report {report.row_id}",
            condition=self._condition(condition),
            remedy=self._drug(report.drug),
            # 1-10 in halves, upwards: 1 and 2 are 1, 9 and 10 are 5
            rating=(report.rating + 1) // 2,
            improvement=report.effectiveness,
            comment=report.comment[:COMMENT_LENGTH],
            # the lowest grade says that there were none
            side_effects={self.other: report.side_effects} if report.side_effects > 1 else {},
        )

    def _condition(self, name: str) -> Condition:
        if known := self._conditions.get(name):
            return known
        slug = slug_for(name)
        term = self.catalogue.conditions.with_slug(slug) or self.catalogue.conditions.add(
            Condition(slug=slug, category=IMPORTED, **_names(name))
        )
        self._conditions[name] = term
        return term

    def _drug(self, name: str) -> Remedy:
        slug = slug_for(name, "drug-")
        return self.catalogue.remedies.with_slug(slug) or self.catalogue.remedies.add(
            Remedy(
                slug=slug,
                kind=Remedy.Kind.DRUG,
                confidence=Remedy.Confidence.LOW,
                source=DRUGLIB_SOURCE,
                **_names(name),
            )
        )


class ClinicHistory(Source):
    """A clinic's own record: `clinic` tells its identifiers of patients from those of others."""

    def __init__(self, path: Path, catalogue: Catalogue, clinic: str) -> None:
        super().__init__(path, catalogue)
        self.clinic = clinic

    def entries(self) -> Iterator[Entry | Reject]:
        for item in csv_history.read(self.path, today=timezone.localdate()):
            if isinstance(item, Reject):
                yield item
                continue
            try:
                yield self._entry(item)
            except Unusable as reason:
                yield Reject(item.line, str(reason), item.text)

    def _entry(self, report: csv_history.Report) -> Entry:
        condition = self.catalogue.conditions.find(report.condition)
        remedy = self.catalogue.remedies.find(report.remedy)
        # One report a day on one remedy: without an identifier of its own, that is what names a report.
        key = [self.clinic, report.patient, condition.slug, remedy.slug, report.day.isoformat()]
        return Entry(
            line=report.line,
            text=report.text,
            patient_id=_id("csv", "patient", *key[:2]),
            diagnosis_id=_id("csv", "diagnosis", *key[:3]),
            recommendation_id=_id("csv", "recommendation", *key[:4]),
            client_id=_id("csv", "report", *key),
            full_name=f"{self.clinic} {report.patient}",
            condition=condition,
            remedy=remedy,
            rating=report.rating,
            improvement=report.improvement,
            comment=report.comment[:COMMENT_LENGTH],
            compliance=report.compliance,
            side_effects=self._effects(report.side_effects),
            person={
                # The middle of the year is wrong by half a year at most.
                "birth_date": report.birth_year and date(report.birth_year, 7, 1),
                "sex": report.sex,
                "mizaj_type": report.mizaj,
            },
            at=_noon(report.day),
        )

    def _effects(self, named: Iterable[tuple[str, int]]) -> dict[SideEffect, int]:
        effects: dict[SideEffect, int] = {}
        for name, severity in named:
            effect = self.catalogue.effects.find(name)
            if effect in effects:
                raise Unusable(f"side effect “{name}” is named twice")
            effects[effect] = severity
        return effects


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


def slug_for(name: str, prefix: str = "") -> str:
    """The slug a name always gets; where letters would be lost, a piece of the name's hash keeps it apart."""
    slug = prefix + slugify(name)
    if name.isascii() and slug != prefix and len(slug) <= SLUG_LENGTH:
        return slug
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    stem = slug[: SLUG_LENGTH - len(digest) - 1].strip("-") or IMPORTED
    return f"{stem}-{digest}"


def _names(name: str) -> dict[str, str]:
    shown = (name[:1].upper() + name[1:])[:NAME_LENGTH]
    return {"name_en": shown, "name_fa": shown}


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
        recommendation=recommendation,
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


def _id(*parts: object) -> UUID:
    # JSON keeps ["a", "b:c"] and ["a:b", "c"] apart.
    return id_for_key("import", json.dumps(parts, ensure_ascii=False))


def _noon(day: date) -> datetime:
    """Noon is the same day in every clock that clinics keep; today's may not have come yet."""
    return min(timezone.make_aware(datetime.combine(day, time(12))), timezone.now())
