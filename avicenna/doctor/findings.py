from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.core.exceptions import ObjectDoesNotExist

logger = logging.getLogger(__name__)


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """What was found about a part, and what to do about it. Neither names a secret or anything about a person."""

    part: str
    severity: Severity
    found: str
    do: str = ""


Findings = Iterator[Finding]


@dataclass(frozen=True)
class Examination:
    """`needs_database`: it says nothing where the database does not answer."""

    part: str
    examine: Callable[[], Iterable[Finding]]
    needs_database: bool = False


def fine(part: str, found: str) -> Finding:
    return Finding(part, Severity.OK, found)


def warning(part: str, found: str, do: str) -> Finding:
    return Finding(part, Severity.WARNING, found, do)


def error(part: str, found: str, do: str) -> Finding:
    return Finding(part, Severity.ERROR, found, do)


def examine_all(examinations: Iterable[Examination], *, database_answers: Callable[[], bool]) -> Findings:
    """One that breaks is a finding, and the others go on."""
    answers = None
    for one in examinations:
        if one.needs_database:
            answers = database_answers() if answers is None else answers
            if not answers:
                yield warning(one.part, "not examined: the database does not answer", "See to the database first.")
                continue
        try:
            yield from one.examine()
        except ObjectDoesNotExist:  # what was asked about
            raise
        except Exception as problem:  # whatever it is, the operator wants the rest, too
            logger.debug("an examination broke", exc_info=True)
            yield error(one.part, f"could not be examined: {type(problem).__name__}", "LOG_LEVEL=DEBUG shows more.")
