"""A clinic for benchmarks: prepares diagnoses, then publishes on command from a process of its own, as gunicorn does.

`python -m benchmarks.clinic COUNT` prints `{"token", "diagnoses"}`, then for each number read from standard input
changes that diagnosis and prints `{"seq", "committed"}`: the event's number and the nanosecond of its commit.
"""

from __future__ import annotations

import json
import sys
import time

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from accounts import tokens  # noqa: E402
from accounts.models import Role, Session, User  # noqa: E402
from avicenna.identifiers import new_id  # noqa: E402
from diagnoses.actions import change_diagnosis, create_patient, record_diagnosis  # noqa: E402
from diagnoses.models import Condition, Diagnosis  # noqa: E402


def prepare(count: int) -> tuple[str, list[Diagnosis]]:
    call_command("migrate", verbosity=0)
    doctor = User.objects.create_user(f"{new_id()}@bench.example", role=Role.PRACTITIONER)
    condition, _ = Condition.objects.get_or_create(
        slug="headache", defaults={"name_en": "Headache", "name_fa": "سردرد"}
    )
    patient = create_patient(actor=doctor, full_name="Bench")
    with transaction.atomic():
        diagnoses = [
            record_diagnosis(actor=doctor, patient=patient, condition=condition, severity=1) for _ in range(count)
        ]
    return tokens.issue(Session.objects.create(user=doctor))["access"], diagnoses


def publish(diagnosis: Diagnosis) -> tuple[Diagnosis, int]:
    """The diagnosis as it is then, and the moment of the commit."""
    committed: list[int] = []
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.monotonic_ns()))
        changed = change_diagnosis(actor=None, diagnosis=diagnosis, changes={"severity": 1 + diagnosis.severity % 5})
    return changed, committed[0]


def main() -> None:
    token, diagnoses = prepare(int(sys.argv[1]))
    print(json.dumps({"token": token, "diagnoses": [str(diagnosis.pk) for diagnosis in diagnoses]}), flush=True)
    for line in sys.stdin:
        diagnoses[int(line)], committed = publish(diagnoses[int(line)])
        print(json.dumps({"seq": diagnoses[int(line)].head, "committed": committed}), flush=True)


main()
