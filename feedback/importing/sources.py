"""From the rows of a file to entries: reports with all they hang on, under ids that are the same at every reading."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from avicenna.identifiers import id_for_key
from diagnoses.models import Condition, Remedy, SideEffect
from feedback.importing import csv_history, druglib
from feedback.importing.names import IMPORTED, slug_for
from feedback.importing.records import Reject, Unusable
from feedback.importing.vocabulary import Catalogue, EmptyCatalogue
from feedback.models import COMMENT_LENGTH

DRUGLIB_SOURCE = "UCI Machine Learning Repository, Drug Review Dataset (Druglib.com)"
NAME_LENGTH = 200

Grades = tuple[int, int, int | None]


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
        return (item if isinstance(item, Reject) else item[1] for item in self.reviews())

    def reviews(self) -> Iterator[tuple[druglib.Report, Entry] | Reject]:
        """Each report beside the entry made of it: what the data set says about it, and what it is here."""
        for item in druglib.read(self.path):
            if isinstance(item, Reject):
                yield item
            elif name := druglib.normalise_condition(item.condition):
                yield item, self._entry(item, name)
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


def _names(name: str) -> dict[str, str]:
    shown = (name[:1].upper() + name[1:])[:NAME_LENGTH]
    return {"name_en": shown, "name_fa": shown}


def _id(*parts: object) -> UUID:
    # JSON keeps ["a", "b:c"] and ["a:b", "c"] apart.
    return id_for_key("import", json.dumps(parts, ensure_ascii=False))


def _noon(day: date) -> datetime:
    """Noon is the same day in every clock that clinics keep; today's may not have come yet."""
    return min(timezone.make_aware(datetime.combine(day, time(12))), timezone.now())
