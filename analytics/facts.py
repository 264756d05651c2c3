"""What the figures should be, as SQL over the reports themselves, for PostgreSQL and SQLite alike.

Each table of figures has its differences: a temporary table of the rows that are not as the reports say, in the order
in which writers write. No row of it passes through Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from analytics.models import EffectivenessRollup, SubjectPatient
from analytics.rollups import COLUMNS
from analytics.subjects import Kind
from diagnoses.models import Diagnosis, Recommendation
from feedback.models import SEVERE, SUCCESS_RATING, Feedback, SideEffectReport

ROLLUPS, PATIENTS = EffectivenessRollup._meta.db_table, SubjectPatient._meta.db_table
FEEDBACK = Feedback._meta.db_table

# What one report adds to each column, as `Sums.of` has it.
_ADDS = {
    "n": "1",
    "successes": f"CASE WHEN rating >= {SUCCESS_RATING} THEN 1 ELSE 0 END",
    "rating_sum": "rating",
    "improvement_sum": "symptom_improvement",
    "compliance_n": "CASE WHEN compliance IS NULL THEN 0 ELSE 1 END",
    "compliance_sum": "COALESCE(compliance, 0)",
    "side_effects": "CASE WHEN worst IS NULL THEN 0 ELSE 1 END",
    "severe": f"CASE WHEN worst >= {SEVERE} THEN 1 ELSE 0 END",
}
# The key of a subject, as `Subject` has it, and the columns that it is made of.
_KEYS: dict[Kind, tuple[str, Sequence[str]]] = {
    Kind.REMEDY_MIZAJ: ("remedy_id || ':' || mizaj", ["remedy_id", "mizaj"]),
    Kind.REMEDY_CONDITION: ("remedy_id || ':' || condition_id", ["remedy_id", "condition_id"]),
    Kind.REMEDY: ("CAST(remedy_id AS varchar(40))", ["remedy_id"]),
    Kind.CONDITION: ("CAST(condition_id AS varchar(40))", ["condition_id"]),
    Kind.EVERYTHING: ("''", []),
}
_JOINED = f"""
    JOIN {Recommendation._meta.db_table} AS r ON r.id = recommendation_id
    JOIN {Diagnosis._meta.db_table} AS d ON d.id = fact.diagnosis_id
"""


@dataclass(frozen=True)
class Dialect:
    """All that the two databases say differently here."""

    hex: str  # an id, as the key of a subject
    writing_order: str  # a key, ordered as Python orders it
    key: str  # a key, to be compared with stored ones
    lock: str  # keeps others from changing the rows of `t` that are read
    by_sorting: tuple[str, str]  # before and after a statement whose groups are nearly as many as its rows
    begin: tuple[str, ...]  # a transaction that sees one moment and keeps nobody waiting
    analyze: str
    mark: str  # a moment, to ask about later
    now: str  # a number for those who write now; `is_quiet` when they are done
    is_quiet: str
    has_moved: str  # whether a report was written that was not at the moment of the mark


_DIALECTS = {
    "postgresql": Dialect(
        hex="replace({}::text, '-', '')",
        writing_order='{} COLLATE "C" AS key',
        key='{} COLLATE "default" AS key',
        lock="FOR UPDATE OF t",
        by_sorting=("SET LOCAL enable_hashagg = off", "SET LOCAL enable_hashagg = on"),
        begin=("BEGIN ISOLATION LEVEL REPEATABLE READ", "SET LOCAL work_mem = '128MB'"),
        analyze="ANALYZE {}",
        mark="SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
        now="SELECT pg_current_xact_id()::text::bigint",
        is_quiet="SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s",
        # Rows older than 2^31 transactions look new: one more round over them does no harm.
        has_moved=f"SELECT EXISTS (SELECT FROM {FEEDBACK} WHERE age(xmin) <= age(%s::text::xid8::xid))",
    ),
    "sqlite": Dialect(
        hex="{}",
        writing_order="{}",
        key="{}",
        lock="",
        by_sorting=("SELECT 1", "SELECT 1"),
        begin=("BEGIN DEFERRED",),
        analyze="SELECT '{}'",
        mark="PRAGMA data_version",
        now="SELECT 0",  # it has one writer at a time: when one can write, nobody else does
        is_quiet="SELECT %s = 0",
        has_moved="SELECT data_version <> %s FROM pragma_data_version",
    ),
}


def dialect() -> Dialect:
    return _DIALECTS[connection.vendor]


def _facts(*, effects: bool = True, where: str = "1 = 1") -> str:
    """The reports that count; `worst` is the worst severity of a report's side effects."""
    day, parameters = connection.ops.datetime_cast_date_sql("f.created_at", (), timezone.get_current_timezone_name())
    worst = f"SELECT feedback_id, MAX(severity) AS worst FROM {SideEffectReport._meta.db_table} GROUP BY feedback_id"
    return f"""(
        SELECT f.recommendation_id, f.diagnosis_id, f.patient_id, f.mizaj, f.rating, f.symptom_improvement,
               f.compliance, {day % tuple(f"'{parameter}'" for parameter in parameters)} AS day
               {", worst" if effects else ""}
        FROM {FEEDBACK} AS f {f"LEFT JOIN ({worst}) AS w ON w.feedback_id = f.id" if effects else ""}
        WHERE f.withdrawn_at IS NULL AND f.is_counted AND {where}
    ) AS fact"""


def recommendation_differences(name: str) -> list[str]:
    """Statements that make the table `name`: what is missing in which rollup of a recommendation, and whether that is
    `stored`. A rollup of zeros is as good as none.
    """
    own_key = dialect().hex.format("recommendation_id")
    adds = _list(*(f"{adds} AS {column}" for column, adds in _ADDS.items()))
    facts = f"SELECT {own_key} AS key, day, {adds}, 0 AS stored FROM {_facts()}"
    before, after = dialect().by_sorting
    return [
        before,
        _rollup_differences(name, ["key", "day"], [facts], f"kind = {Kind.RECOMMENDATION}"),
        f"ALTER TABLE {name} ADD COLUMN kind integer DEFAULT {Kind.RECOMMENDATION}",
        after,
    ]


def other_differences(name: str) -> list[str]:
    """The same for all other kinds, whose sums are sums of one table."""
    again = _sums({column: column for column in COLUMNS})
    sums = [
        f"SELECT {kind} AS kind, {key} AS key, day, {again}, 0 AS stored FROM by_day GROUP BY {_list(*parts, 'day')}"
        for kind, (key, parts) in _KEYS.items()
    ]
    return [
        f"CREATE TEMPORARY TABLE by_day AS SELECT remedy_id, condition_id, mizaj, day, {_sums(_ADDS)}"
        f" FROM {_facts()} {_JOINED} GROUP BY remedy_id, condition_id, mizaj, day",
        _rollup_differences(name, ["kind", "key", "day"], sums, f"kind <> {Kind.RECOMMENDATION}"),
        "DROP TABLE by_day",
    ]


def _rollup_differences(name: str, keys: Sequence[str], should: Sequence[str], stored: str) -> str:
    minus = _list(*(f"-{column}" for column in COLUMNS))
    return _differences(
        name,
        keys=keys,
        values={column: f"SUM({column})" for column in [*COLUMNS, "stored"]},
        of=[*should, f"SELECT {_list(*keys)}, {minus}, 1 FROM {ROLLUPS} WHERE {stored}"],
        where=" OR ".join(f"SUM({column}) <> 0" for column in COLUMNS),
    )


def patient_differences(name: str) -> list[str]:
    """Statements that make the table `name`: patients of a subject, their last day as it should be and as `stored`."""
    return [
        f"CREATE TEMPORARY TABLE by_patient AS {_by_patient()}",
        _differences(
            name,
            keys=["kind", "key", "patient_id"],
            values={"last_day": "MAX(last_day)", "stored": "MAX(stored)"},
            of=[
                f"SELECT kind, key, patient_id, last_day, CAST(NULL AS date) AS stored FROM ({_last_days()}) AS should",
                f"SELECT kind, key, patient_id, CAST(NULL AS date), last_day FROM {PATIENTS}",
            ],
            where="CASE WHEN MAX(last_day) = MAX(stored) THEN 0 ELSE 1 END = 1",
        ),
        "DROP TABLE by_patient",
    ]


def last_days(patients: str) -> list[str]:
    """Statements that make `last_days`: every row that there should be about `patients`, a query."""
    return [
        f"CREATE TEMPORARY TABLE by_patient AS {_by_patient(f'f.patient_id IN ({patients})')}",
        f"CREATE TEMPORARY TABLE last_days AS {_last_days()}",
        "DROP TABLE by_patient",
    ]


def _by_patient(where: str = "1 = 1") -> str:
    """Summed by recommendation first: of several reports one row goes through the joins."""
    return f"""
        SELECT fact.patient_id, remedy_id, condition_id, mizaj, day AS last_day
        FROM (SELECT recommendation_id, diagnosis_id, patient_id, mizaj, MAX(day) AS day
              FROM {_facts(effects=False, where=where)}
              GROUP BY recommendation_id, diagnosis_id, patient_id, mizaj) AS fact {_JOINED}
    """


def _last_days() -> str:
    return " UNION ALL ".join(
        f"SELECT {kind} AS kind, {key} AS key, patient_id, MAX(last_day) AS last_day"
        f" FROM by_patient GROUP BY {_list(*parts, 'patient_id')}"
        for kind, (key, parts) in _KEYS.items()
    )


def _differences(name: str, *, keys: Sequence[str], values: Mapping[str, str], of: Sequence[str], where: str) -> str:
    """A row for each subject of which `where` holds; `place` counts them in writing order."""
    kept = [dialect().key.format(key) if key == "key" else key for key in keys]
    ordered = [dialect().writing_order.format(key) if key == "key" else key for key in keys]
    summed = [f"{value} AS {column}" for column, value in values.items()]
    return f"""
        CREATE TEMPORARY TABLE {name} AS
        SELECT ROW_NUMBER() OVER (ORDER BY {_list(*keys)}) AS place, {_list(*kept, *values)}
        FROM (SELECT {_list(*ordered, *summed)} FROM ({" UNION ALL ".join(of)}) AS compared
              GROUP BY {_list(*map(str, range(1, len(keys) + 1)))} HAVING {where}) AS differing
    """


def _sums(adds: Mapping[str, str]) -> str:
    """As numbers of the size that the columns have: PostgreSQL is slow with larger ones."""
    return _list(*(f"CAST(SUM({value}) AS integer) AS {column}" for column, value in adds.items()))


def _list(*columns: str) -> str:
    return ", ".join(columns)
