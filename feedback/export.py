"""Reports as rows of figures that name nobody, for people who count outside of the clinic.

A row has no person, no number that would hold the rows of one person together, no text and no day. Who knows somebody
could still find a rare row again: a row says only as much as it shares with reports of at least LEAST_PATIENTS. It says
its week, remedy, condition and mizaj; where fewer share these, the month without the mizaj; then the quarter and the
remedy alone; what is rarer still is left out.

Two exports must not tell by their difference what one may not. So only whole weeks are told, months and quarters only
when they lie in the export as a whole: whatever two exports have in common is the same rows, and what one has more is
again of LEAST_PATIENTS. (A report that was changed or withdrawn in between still differs.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from accounts.models import User
from feedback.models import Feedback, SideEffectReport

LEAST_PATIENTS = 5
WEEKS = (4, 13, 26, 52)
HEAD = ["period", "remedy", "condition", "mizaj", "rating", "symptom_improvement", "compliance", "side_effects"]
CHUNK = 2_000
LEVELS = 3

# Period, remedy, condition, mizaj: as much of them as a row may say. None where the export cuts the period.
Said = tuple[str, str, str, str]
Columns = tuple[date, str, str, str]


@dataclass
class Crowds:
    """Who reported the same, no further than is asked: the memory is that of what is said, not of who says it."""

    patients: dict[Said, set[UUID]] = field(default_factory=dict)

    def add(self, said: Said, patient: UUID) -> None:
        found = self.patients.setdefault(said, set())
        if len(found) < LEAST_PATIENTS:
            found.add(patient)

    def hides(self, said: Said | None) -> bool:
        return said is not None and len(self.patients.get(said, ())) >= LEAST_PATIENTS


@dataclass(frozen=True)
class Span:
    """Whole weeks; `end` is the Monday after the last."""

    start: date
    end: date

    @classmethod
    def before(cls, today: date, weeks: int) -> Span:
        end = today - timedelta(days=today.weekday())
        return cls(end - timedelta(weeks=weeks), end)

    def levels(self, columns: Columns) -> list[Said | None]:
        """What a report may say, the most first."""
        day, remedy, condition, mizaj = columns
        year, week, _ = day.isocalendar()
        quarter = (day.month - 1) // 3
        return [
            (f"{year}-W{week:02}", remedy, condition, mizaj),
            (f"{day:%Y-%m}", remedy, condition, "") if self._has_months(day.year, day.month, 1) else None,
            (f"{day.year}-Q{quarter + 1}", remedy, "", "") if self._has_months(day.year, 3 * quarter + 1, 3) else None,
        ]

    def _has_months(self, year: int, first: int, count: int) -> bool:
        after = date(year + (first + count > 12), (first + count - 1) % 12 + 1, 1)
        return self.start <= date(year, first, 1) and after <= self.end


def rows(*, actor: User, weeks: int) -> Iterator[list[object]]:
    """The head and a row for each report of the last whole weeks that may be told.

    Only what is in the clinic's figures: neither withdrawn nor of somebody who does not consent to statistics.
    """
    span = Span.before(timezone.localdate(), weeks)
    reports = _reports(actor, span)
    crowds = _crowds(reports, span)
    yield list(HEAD)
    effects = SideEffectReport.objects.select_related("effect").order_by("effect__slug")
    told = reports.select_related("recommendation__remedy", "diagnosis__condition").defer("comment", "diagnosis__notes")
    told = told.prefetch_related(Prefetch("side_effects", effects))
    # Not in the order in which they came: that would tell their days again.
    for report in told.order_by("client_id").iterator(chunk_size=CHUNK):
        remedy, condition = report.recommendation.remedy.slug, report.diagnosis.condition.slug
        levels = span.levels((timezone.localdate(report.created_at), remedy, condition, report.mizaj))
        said = next((one for crowd, one in zip(crowds, levels, strict=True) if crowd.hides(one)), None)
        if said is not None:
            harm = " ".join(f"{one.effect.slug}:{one.severity}" for one in report.side_effects.all())
            yield [*said, report.rating, report.symptom_improvement, report.compliance, harm]


def _reports(actor: User, span: Span) -> QuerySet[Feedback]:
    start, end = (timezone.make_aware(datetime.combine(day, time.min)) for day in (span.start, span.end))
    counted = Feedback.objects.visible_to(actor).counted().order_by()
    return counted.filter(created_at__gte=start, created_at__lt=end)


def _crowds(reports: QuerySet[Feedback], span: Span) -> list[Crowds]:
    """One for each level. A report counts at the finest level at which it can hide, and at none after that: those that
    are told more coarsely are themselves of LEAST_PATIENTS."""
    columns = ("created_at", "recommendation__remedy__slug", "diagnosis__condition__slug", "mizaj", "patient_id")
    crowds: list[Crowds] = []
    for level in range(LEVELS):
        crowd = Crowds()
        for at, remedy, condition, mizaj, patient in reports.values_list(*columns).iterator(chunk_size=CHUNK):
            levels = span.levels((timezone.localdate(at), remedy, condition, mizaj))
            said = levels[level]
            if said is not None and not any(finer.hides(one) for finer, one in zip(crowds, levels, strict=False)):
                crowd.add(said, patient)
        crowds.append(crowd)
    return crowds
