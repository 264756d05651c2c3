"""Who may do what with which field of whose data: the one table, and the questions that everything asks it.

`visible_to`, the permission classes, the fields of serializers, the admin, sockets and actions ask; none of them knows
a role by itself. `manage.py document_access` writes the table into docs/security.md, `tests/accounts/test_access.py`
tries each cell of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from typing import Any

from accounts.roles import Role


class Act(StrEnum):
    READ = "r"
    CREATE = "c"
    CHANGE = "w"
    ERASE = "x"


class Reach(IntEnum):
    """Whose data; each includes the one before."""

    OWN = 1
    CARE = 2
    ALL = 3


class Resource(StrEnum):
    PATIENT = "patient"
    CARE_TEAM = "care team"
    GLASS = "emergency access"
    CONTRAINDICATION = "contraindication"
    DIAGNOSIS = "diagnosis"
    SCORES = "scores of recommendations"
    RECOMMENDATION = "recommendation"
    FEEDBACK = "feedback"
    SEVERE_FLAG = "severe flag"
    PREDICTION = "prediction record"
    EVENT = "event log"
    TRAIL = "audit trail"
    CATALOGUE = "catalogue"
    FIGURES = "public figures"
    CLINIC = "clinic's figures"
    MODEL = "prediction models"
    SERVER = "server"
    PATIENT_ACCOUNT = "accounts of patients"
    ACCOUNT = "accounts of the clinic"


@dataclass(frozen=True, slots=True)
class Right:
    reach: Reach
    acts: frozenset[Act]


@dataclass(frozen=True)
class Line:
    """Some fields of one kind of data, and what each role may do with them."""

    resource: Resource
    fields: tuple[str, ...]
    rights: dict[Role, Right]


ROLES = (Role.PATIENT, Role.PRACTITIONER, Role.RECEPTION, Role.HEAD, Role.OPERATOR)

# Who may open the admin at all. What is in it for them says the table; being a superuser adds nothing to it.
OPENS_ADMIN = frozenset({Role.RECEPTION, Role.HEAD, Role.OPERATOR})

# A cell: whose (own: one's own record; care: those whose care team one is on, or who were opened in an emergency, and
# the own; all) and what with it:
# r read, c create, w change (also stop, lift, look at), x erase or withdraw. Who may create does so within that reach.
# In words, so that a field may stand for more than a column: `record` is the whole of it; `stream`, `predictions` and
# `figures` are what is told about a diagnosis, live and worked out; `other_windows` is asking for public figures of
# other days than the last 90. What one does with one's own account and consents is nobody else's and not in here.
_TABLE = [
    # resource, fields                                       patient     practitioner reception  head       operator
    (Resource.PATIENT, "id full_name birth_date sex created_at updated_at",
                                                             "own r",    "care rcw", "all rcw", "all rcw", "-"),
    (Resource.PATIENT, "mizaj_type",                         "own r",    "care rcw", "-",       "all rc",  "-"),
    (Resource.PATIENT, "active_diagnoses",                   "own r",    "care r",   "-",       "all r",   "-"),
    (Resource.PATIENT, "medical_history current_medications",
                                                             "own r",    "care rcw", "-",       "all rc",  "-"),
    (Resource.PATIENT, "source user",                        "-",        "-",        "all r",   "all r",   "-"),
    (Resource.PATIENT, "record",                             "own x",    "-",        "-",       "all x",   "-"),
    (Resource.CARE_TEAM, "practitioners",                    "-",        "-",        "all rw",  "all rw",  "-"),
    (Resource.GLASS, "opening",                              "-",        "all c",    "-",       "-",       "-"),
    (Resource.GLASS, "id practitioner at until reason reviewed_at",
                                                             "own r",    "care r",   "-",       "all r",   "-"),
    (Resource.GLASS, "review",                               "-",        "-",        "-",       "all w",   "-"),
    (Resource.CONTRAINDICATION, "id remedy remedy_name cause cause_name stated_at stated_by lifted_at lifted_by",
                                                             "own r",    "care rcw", "-",       "all r",   "-"),
    (Resource.CONTRAINDICATION, "reason",                    "own r",    "care rcw", "-",       "all r",   "-"),
    (Resource.DIAGNOSIS, "id patient patient_name practitioner condition condition_name severity imbalance status head "
                         "created_at updated_at",            "own r",    "care rcw", "-",       "all r",   "-"),
    (Resource.DIAGNOSIS, "symptoms notes",                   "own r",    "care rcw", "-",       "all r",   "-"),
    (Resource.DIAGNOSIS, "stream predictions figures",       "own r",    "care r",   "-",       "all r",   "-"),
    (Resource.SCORES, "record",                              "-",        "care w",   "-",       "all w",   "-"),
    (Resource.RECOMMENDATION, "id diagnosis remedy remedy_name kind dosage frequency duration_days instructions status "
                              "replaces effectiveness_score confidence created_at updated_at",
                                                             "own r",    "care rcw", "-",       "all r",   "-"),
    (Resource.FEEDBACK, "id recommendation diagnosis remedy remedy_name rating symptom_improvement compliance "
                        "side_effects client_id created_at updated_at withdrawn_at",
                                                             "own rcwx", "care r",   "-",       "all r",   "-"),
    (Resource.FEEDBACK, "comment",                           "own rcwx", "care r",   "-",       "-",       "-"),
    (Resource.FEEDBACK, "withdrawn_comment",                 "own r",    "-",        "-",       "-",       "-"),
    (Resource.SEVERE_FLAG, "id feedback diagnosis condition_name patient patient_name recommendation remedy "
                           "remedy_name side_effects raised_at looked_at looked_at_by",
                                                             "-",        "care rw",  "-",       "all rw",  "-"),
    (Resource.PREDICTION, "record",                          "-",        "-",        "-",       "all r",   "-"),
    (Resource.EVENT, "record receipts",                      "-",        "-",        "-",       "all r",   "-"),
    (Resource.TRAIL, "record",                               "own r",    "own r",    "-",       "all r",   "-"),
    (Resource.CATALOGUE, "record",                           "all r",    "all r",    "all r",   "all rcw", "all r"),
    (Resource.CATALOGUE, "source confidence note",           "-",        "all r",    "-",       "all rcw", "all r"),
    (Resource.FIGURES, "other_windows",                      "-",        "all r",    "-",       "all r",   "-"),
    (Resource.CLINIC, "record",                              "-",        "-",        "-",       "all r",   "-"),
    (Resource.MODEL, "record",                               "-",        "-",        "-",       "all r",   "-"),
    (Resource.SERVER, "record",                              "-",        "-",        "-",       "all r",   "all r"),
    (Resource.PATIENT_ACCOUNT, "record sessions",            "-",        "-",        "-",       "all rcw", "-"),
    (Resource.ACCOUNT, "record sessions",                    "-",        "-",        "-",       "all rcw", "all r"),
]  # fmt: skip


def _rights(cells: Iterable[str]) -> dict[Role, Right]:
    """Raises `ValueError` or `KeyError` for a cell that says nothing known."""
    rights = {}
    for role, cell in zip(ROLES, cells, strict=True):
        if cell != "-":
            reach, acts = cell.split()
            rights[role] = Right(Reach[reach.upper()], frozenset(map(Act, acts)))
    return rights


MATRIX = tuple(Line(resource, tuple(fields.split()), _rights(cells)) for resource, fields, *cells in _TABLE)


def role_of(user: Any) -> Role | None:
    """None for whoever is not signed in, or not any more."""
    return Role(user.role) if user.is_authenticated and user.is_active else None


@cache
def reach(role: Role | None, act: Act, resource: Resource, field: str | None = None) -> Reach | None:
    """Whose data the role may do this with: with `field` of it, or with any field. None: nobody's."""
    lines = [line for line in MATRIX if line.resource == resource and (field is None or field in line.fields)]
    rights = [line.rights[role] for line in lines if role in line.rights]
    return max((right.reach for right in rights if act in right.acts), default=None)


def may(user: Any, act: Act, resource: Resource, field: str | None = None, *, least: Reach = Reach.OWN) -> bool:
    """Whether it is open to the user's role at all; whose data it is about is for `visible_to`."""
    found = reach(role_of(user), act, resource, field)
    return found is not None and found >= least


@cache
def closed_fields(role: Role | None, act: Act, resource: Resource) -> frozenset[str]:
    """The fields of the resource with which the role may not do this."""
    fields = {field for line in MATRIX if line.resource == resource for field in line.fields}
    return frozenset(field for field in fields if reach(role, act, resource, field) is None)
