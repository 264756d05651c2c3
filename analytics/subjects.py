"""What evidence is kept about, and which subject informs which."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self
from uuid import UUID

from django.db import models

if TYPE_CHECKING:
    from feedback.models import Feedback


class Kind(models.IntegerChoices):
    """In the order in which rows are written, so that concurrent writers wait in line instead of in a circle."""

    RECOMMENDATION = 0, "recommendation"
    REMEDY_MIZAJ = 1, "remedy and mizaj"
    REMEDY_CONDITION = 2, "remedy and condition"
    REMEDY = 3, "remedy"
    CONDITION = 4, "condition"
    EVERYTHING = 5, "everything"


class Subject(NamedTuple):
    kind: Kind
    key: str

    @classmethod
    def recommendation(cls, recommendation_id: UUID) -> Self:
        return cls(Kind.RECOMMENDATION, recommendation_id.hex)

    @classmethod
    def remedy_mizaj(cls, remedy_id: int, mizaj: str) -> Self:
        """`mizaj` may be empty, not known: together they make up the remedy."""
        return cls(Kind.REMEDY_MIZAJ, f"{remedy_id}:{mizaj}")

    @classmethod
    def remedy_condition(cls, remedy_id: int, condition_id: int) -> Self:
        return cls(Kind.REMEDY_CONDITION, f"{remedy_id}:{condition_id}")

    @classmethod
    def remedy(cls, remedy_id: int) -> Self:
        return cls(Kind.REMEDY, f"{remedy_id}")

    @classmethod
    def condition(cls, condition_id: int) -> Self:
        return cls(Kind.CONDITION, f"{condition_id}")


EVERYTHING = Subject(Kind.EVERYTHING, "")


def subjects_of(feedback: Feedback) -> list[Subject]:
    """All subjects a report is evidence about, in writing order."""
    remedy, condition = feedback.recommendation.remedy_id, feedback.diagnosis.condition_id
    return [
        Subject.recommendation(feedback.recommendation_id),
        Subject.remedy_mizaj(remedy, feedback.mizaj),
        Subject.remedy_condition(remedy, condition),
        Subject.remedy(remedy),
        Subject.condition(condition),
        EVERYTHING,
    ]


def chain_of_recommendation(recommendation_id: UUID, remedy_id: int, condition_id: int) -> list[Subject]:
    """From everything down: each contains the next and informs it."""
    return [
        EVERYTHING,
        Subject.remedy(remedy_id),
        Subject.remedy_condition(remedy_id, condition_id),
        Subject.recommendation(recommendation_id),
    ]
