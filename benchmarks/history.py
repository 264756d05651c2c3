"""A clinic with a long history, in a process of its own: loads any number of reports, then times what is asked of them.

`python -m benchmarks.history` reads JSON commands from standard input and answers each with a JSON line:
`{"load": reports}` · `{"tidy": null}` · `{"check": null}` · `{"read": null}` · `{"scan": in Python, too}` ·
`{"clinic": {"patients": n, "remedies": k}}` · `{"statements": patient}`; each is a function below.
A history is generated in the database: no row of it passes through Python.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.backends.utils import CursorWrapper  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import tokens  # noqa: E402
from accounts.models import Role, Session, User  # noqa: E402
from analytics import evidence, ranking, reports  # noqa: E402
from analytics.models import EffectivenessRollup, SubjectPatient  # noqa: E402
from analytics.subjects import Kind  # noqa: E402
from analytics.summary import summarize  # noqa: E402
from avicenna.identifiers import new_id  # noqa: E402
from diagnoses.actions import create_patient, recommend, record_diagnosis  # noqa: E402
from diagnoses.mizaj import Mizaj  # noqa: E402
from diagnoses.models import Condition, Diagnosis, Recommendation, Remedy, SideEffect  # noqa: E402
from feedback.models import SUCCESS_RATING, Feedback  # noqa: E402
from tests.analytics import oracle  # noqa: E402

REMEDIES, CONDITIONS, EFFECTS = 120, 40, 40
# A condition is treated with so many of the remedies, and a patient with so many of these.
TRIED, GIVEN, REPORTS_PER_PATIENT = 6, 5, 25
WARM_UPS, CALLS = 3, 30
# Remedy → reports in the window, and successes among them.
Answer = dict[int, tuple[int, int]]
CATALOGUE = ["diagnoses_remedy", "diagnoses_condition", "diagnoses_sideeffect"]
TABLES = [
    "diagnoses_patient",
    "diagnoses_diagnosis",
    "diagnoses_recommendation",
    "feedback_feedback",
    "feedback_sideeffectreport",
    "analytics_effectivenessrollup",
    "analytics_subjectpatient",
]
PATIENT, DIAGNOSIS, RECOMMENDATION, FEEDBACK = range(1, 5)


def id_of(kind: int, number: object) -> str:
    """As SQL: an id that rises with `number`, as those of the clinic do with time."""
    return f"('0000000{kind}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


def uuid_of(kind: int, number: int) -> str:
    return f"0000000{kind}-0000-7000-8000-{number:012x}"


def chance(number: str, seed: int, of: int) -> str:
    """As SQL: a whole number below `of`, always the same for the same `number`."""
    return f"mod(hashint8extended({number}, {seed}) & 1048575, {of})"


# One report in five is from before the window, up to two years old; one remedy in eight gets better lately.
CLINIC = [
    f"""
    INSERT INTO diagnoses_patient (id, full_name, sex, mizaj_type, medical_history, current_medications, source,
                                   created_at, updated_at)
    SELECT {id_of(PATIENT, "p")}, '', '', (%(mizajes)s::text[])[1 + mod(p / {CONDITIONS}, 10)], '', '', 'import',
           %(begin)s, %(begin)s
    FROM generate_series(0, %(patients)s - 1) AS p
    """,
    f"""
    INSERT INTO diagnoses_diagnosis (id, patient_id, condition_id, severity, imbalance, symptoms, notes, status, head,
                                     created_at, updated_at)
    SELECT {id_of(DIAGNOSIS, "p")}, {id_of(PATIENT, "p")}, 1 + mod(p, {CONDITIONS}), 3, '', '', '', 'active', 0,
           %(begin)s, %(begin)s
    FROM generate_series(0, %(patients)s - 1) AS p
    """,
    f"""
    INSERT INTO diagnoses_recommendation (id, diagnosis_id, remedy_id, dosage, frequency, instructions, status,
                                          created_at, updated_at)
    SELECT {id_of(RECOMMENDATION, f"p * {GIVEN} + k")}, {id_of(DIAGNOSIS, "p")},
           1 + mod(mod(p, {CONDITIONS}) * {REMEDIES // CONDITIONS} + mod(p / {CONDITIONS} + k, {TRIED}), {REMEDIES}),
           '', '', '', 'active', %(begin)s, %(begin)s
    FROM generate_series(0, %(patients)s - 1) AS p, generate_series(0, {GIVEN - 1}) AS k
    """,
    f"""
    INSERT INTO feedback_feedback (id, recommendation_id, diagnosis_id, patient_id, mizaj, rating, symptom_improvement,
                                   compliance, comment, client_id, created_at, updated_at)
    SELECT {id_of(FEEDBACK, "i")}, r.id, r.diagnosis_id, {id_of(PATIENT, "p")},
           (%(mizajes)s::text[])[1 + mod(p / {CONDITIONS}, 10)],
           CASE WHEN {chance("i", 1, 100)} < 35 + mod(r.remedy_id, 41)
                     + CASE WHEN mod(r.remedy_id, 8) = 0 AND age < interval '30 days' THEN 15 ELSE 0 END
                THEN {SUCCESS_RATING} + {chance("i", 2, 3)} ELSE 1 + {chance("i", 2, 2)} END,
           1 + {chance("i", 3, 5)}, NULLIF({chance("i", 4, 6)}, 0), '', {id_of(FEEDBACK, "i")},
           %(now)s - age, %(now)s - age
    FROM (SELECT i, mod(i, %(patients)s) AS p, mod(i / %(patients)s, {GIVEN}) AS k,
                 CASE WHEN i < %(reports)s * 0.2
                      THEN interval '730 days' - i / (%(reports)s * 0.2) * interval '640 days'
                      ELSE (%(reports)s - i) / (%(reports)s * 0.8) * interval '90 days' END AS age
          FROM generate_series(0, %(reports)s - 1) AS i) AS report
    JOIN diagnoses_recommendation AS r ON r.id = {id_of(RECOMMENDATION, f"p * {GIVEN} + k")}
    """,
    f"""
    INSERT INTO feedback_sideeffectreport (feedback_id, effect_id, severity)
    SELECT {id_of(FEEDBACK, "i")}, 1 + {chance("i", 6, EFFECTS)}, 1 + {chance("i", 7, 5)}
    FROM generate_series(0, %(reports)s - 1) AS i WHERE {chance("i", 5, 20)} = 0
    """,
]


def load(size: int) -> float:
    """Replaces everything by a clinic with `size` reports and no figures yet; seconds."""
    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(CATALOGUE + TABLES)} CASCADE")
        _catalogue()
        # Every reference is to something that is there: to look up fifty million would take most of the time.
        cursor.execute(
            "SET session_replication_role = replica; SET work_mem = '256MB'; SET maintenance_work_mem = '512MB'"
        )
        now = timezone.now()
        values: dict[str, Any] = {
            "patients": max(size // REPORTS_PER_PATIENT, 1),
            "reports": size,
            "mizajes": ["", *Mizaj.values],
            "now": now,
            "begin": now - timedelta(days=731),
        }
        with without_indexes(cursor):
            for statement in CLINIC:
                cursor.execute(statement, values)
        cursor.execute("RESET session_replication_role; RESET work_mem; RESET maintenance_work_mem")
    tidy(None)
    return time.monotonic() - started


def tidy(_: object) -> dict[str, int]:
    """What a clinic's server would have done by itself long ago, and would else do while it is measured.

    Rows of the two tables of figures.
    """
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    return {"rollups": EffectivenessRollup.objects.count(), "subject_patients": SubjectPatient.objects.count()}


def _catalogue() -> None:
    terms: list[tuple[type[Any], int]] = [(Remedy, REMEDIES), (Condition, CONDITIONS), (SideEffect, EFFECTS)]
    for model, count in terms:
        name = model._meta.model_name
        model._default_manager.bulk_create(
            model(pk=n, slug=f"{name}-{n}", name_en=f"{name} {n}", name_fa=f"{name} {n}") for n in range(1, count + 1)
        )


@contextmanager
def without_indexes(cursor: CursorWrapper) -> Iterator[None]:
    """Drops all but the primary keys and builds them again at the end, which takes a fraction of filling them."""
    cursor.execute(
        """
        SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
               format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE contype = 'u' AND conrelid = ANY(%(tables)s::regclass[])
        UNION ALL
        SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
        FROM pg_index WHERE NOT indisprimary AND indrelid = ANY(%(tables)s::regclass[])
         AND NOT EXISTS (SELECT FROM pg_constraint WHERE contype = 'u' AND conindid = indexrelid)
        """,
        {"tables": TABLES[:-2]},
    )
    both = cursor.fetchall()
    for drop, _ in both:
        cursor.execute(drop)
    yield
    for _, build in both:
        cursor.execute(build)


def check(_: object) -> list[str]:
    """Where the figures are not those that a loop over every report finds."""
    have, want = oracle.stored(), oracle.computed()
    return [
        f"{key}: stored {was.get(key)}, computed {should.get(key)}"
        for was, should in ((have.rollups, want.rollups), (have.patients, want.patients))
        for key in was.keys() | should.keys()
        if was.get(key) != should.get(key)
    ]


def read(_: object) -> dict[str, tuple[float, float]]:
    """Milliseconds, median and 95th percentile, of each report; each call asks about another subject."""
    return {name: _time(ask) for name, ask in questions().items()}


def questions() -> dict[str, Callable[[int], object]]:
    """By name, what to ask in the n-th call."""
    calls, ranked = WARM_UPS + CALLS, {"limit": 10, "min_samples": 5}
    patients = Diagnosis.objects.count()
    spread = [n * patients // calls for n in range(calls)]
    diagnoses = list(Diagnosis.objects.filter(pk__in=[uuid_of(DIAGNOSIS, p) for p in spread]))
    given = [uuid_of(RECOMMENDATION, p * GIVEN) for p in spread]
    recommendations = list(Recommendation.objects.select_related("diagnosis").filter(pk__in=given))
    remedies, conditions = list(Remedy.objects.all()), list(Condition.objects.all())
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    return {
        "recommendation_report": lambda n: reports.recommendation_report(recommendations[n]),
        "diagnosis_report": lambda n: reports.diagnosis_report(diagnoses[n]),
        "remedy_report": lambda n: reports.remedy_report(remedies[n]),
        "condition_report": lambda n: reports.condition_report(conditions[n]),
        "most_effective": lambda n: ranking.most_effective(**ranked),
        "worst_performing": lambda n: ranking.worst_performing(**ranked),
        "trending": lambda n: ranking.trending(**ranked),
        "side_effects": lambda n: ranking.side_effects(**ranked),
        "summary": lambda n: summarize(),
        "GET most-effective": lambda n: _get(client, "/api/analytics/most-effective"),
    }


def _get(client: Client, path: str) -> None:
    response = client.get(path, secure=True)
    if response.status_code != 200:
        raise RuntimeError(f"{path} answered {response.status_code}")


def _time(ask: Callable[[int], object]) -> tuple[float, float]:
    taken = []
    for n in range(WARM_UPS + CALLS):
        started = time.perf_counter()
        ask(n)
        taken.append((time.perf_counter() - started) * 1000)
    counted = sorted(taken[WARM_UPS:])
    return statistics.median(counted), counted[-(-len(counted) * 95 // 100) - 1]


def scan(in_python: bool) -> dict[str, Any]:
    """How every remedy does in the window, by the rollups and without them: milliseconds, and whether all agree."""
    ways: dict[str, Callable[[], Answer]] = {"rollups": by_rollups, "sql": by_sql}
    if in_python:
        ways["python"] = by_python
    taken, answers = {}, []
    for name, way in ways.items():
        started = time.perf_counter()
        answers.append(way())
        taken[name] = (time.perf_counter() - started) * 1000
    return {"ms": taken, "agree": all(answer == answers[0] for answer in answers)}


def by_rollups() -> Answer:
    known = evidence.collect_kind(Kind.REMEDY)
    return {int(subject.key): (found.counts.n, found.counts.successes) for subject, found in known.items()}


def by_sql() -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT remedy_id, count(*), count(*) FILTER (WHERE rating >= {SUCCESS_RATING}) "
            "FROM feedback_feedback AS f JOIN diagnoses_recommendation AS r ON r.id = f.recommendation_id "
            "WHERE f.created_at >= %s AND f.withdrawn_at IS NULL GROUP BY remedy_id",
            [_window_begins()],
        )
        return {remedy: (n, successes) for remedy, n, successes in cursor.fetchall()}


def by_python() -> Answer:
    n: Counter[int] = Counter()
    successes: Counter[int] = Counter()
    rows = Feedback.objects.standing().filter(created_at__gte=_window_begins())
    for remedy, rating in rows.order_by().values_list("recommendation__remedy_id", "rating"):
        n[remedy] += 1
        successes[remedy] += rating >= SUCCESS_RATING
    return {remedy: (n[remedy], successes[remedy]) for remedy in n}


def _window_begins() -> datetime:
    return timezone.make_aware(datetime.combine(evidence.window_start(), datetime.min.time()))


def clinic(wanted: dict[str, int]) -> list[dict[str, str]]:
    """So many `patients` with one of so many `remedies` each, made by the clinic's own actions.

    What each needs to report: `token` and `recommendation`.
    """
    call_command("load_catalogue", verbosity=0)
    doctor = User.objects.create_user(f"{new_id()}@bench.example", role=Role.PRACTITIONER)
    remedies, conditions = Remedy.objects.all()[: wanted["remedies"]], Condition.objects.all()[:CONDITIONS]
    with transaction.atomic():
        return [
            _patient(doctor, remedies[n % len(remedies)], conditions[n % len(conditions)])
            for n in range(wanted["patients"])
        ]


def _patient(doctor: User, remedy: Remedy, condition: Condition) -> dict[str, str]:
    user = User.objects.create_user(f"{new_id()}@bench.example")
    patient = create_patient(actor=doctor, user=user, full_name="Bench", mizaj_type=Mizaj.WARM)
    diagnosis = record_diagnosis(actor=doctor, patient=patient, condition=condition, severity=3)
    recommendation = recommend(actor=doctor, diagnosis=diagnosis, remedy=remedy)
    token = tokens.issue(Session.objects.create(user=user))["access"]
    return {"token": token, "recommendation": str(recommendation.pk)}


def statements(target: dict[str, str]) -> list[str]:
    """The SQL of one report over HTTP, in order; the second, as the first also fills caches."""
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0], "authorization": f"Bearer {target['token']}"})
    said = {"recommendation": target["recommendation"], "rating": 4, "symptom_improvement": 4}
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            response = client.post("/api/feedback/", said, content_type="application/json", secure=True)
        if response.status_code != 201:
            raise RuntimeError(f"a report was answered with {response.status_code}")
    return [str(query["sql"]) for query in captured]


COMMANDS: dict[str, Callable[[Any], object]] = {
    "load": load,
    "tidy": tidy,
    "check": check,
    "read": read,
    "scan": scan,
    "clinic": clinic,
    "statements": statements,
}


def main() -> None:
    call_command("migrate", verbosity=0)
    for line in sys.stdin:
        ((name, value),) = json.loads(line).items()
        print(json.dumps(COMMANDS[name](value)), flush=True)


if __name__ == "__main__":
    main()
