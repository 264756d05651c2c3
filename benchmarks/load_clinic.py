"""Patients for `make load`: `python -m benchmarks.load_clinic COUNT [SHARE]`, in the environment of the
servers.

Prints a JSON line for each: `diagnosis`, `recommendations`, and `access`, a token as signing in would have
given it; but for SHARE of them (0.1) `email` and `password`, to sign in with. The hash is argon2's as
everybody's, made once for all and checked in full at each sign-in, which is meant to be work: a thousand people
do not sign in within the same minute.
"""

from __future__ import annotations

import json
import sys
from secrets import token_urlsafe
from typing import Any

import django

django.setup()

from django.contrib.auth.hashers import make_password  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from accounts import tokens  # noqa: E402
from accounts.models import Role, Session, User  # noqa: E402
from avicenna.identifiers import new_id  # noqa: E402
from diagnoses.actions import create_patient, recommend, record_diagnosis  # noqa: E402
from diagnoses.mizaj import Mizaj  # noqa: E402
from diagnoses.models import Condition, Remedy  # noqa: E402

AT_ONCE, GIVEN = 100, 3


def main() -> None:
    count, share = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.1
    call_command("load_catalogue", verbosity=0)
    doctor = User.objects.create_user(f"{new_id()}@load.example", role=Role.PRACTITIONER)
    password, signing_in = token_urlsafe(), round(count * share)
    hashed = make_password(password)
    clinic = list(Remedy.objects.all()), list(Condition.objects.all())
    for first in range(0, count, AT_ONCE):
        with transaction.atomic():
            made = [patient(n, doctor, hashed, *clinic) for n in range(first, min(first + AT_ONCE, count))]
        for n, (user, told) in enumerate(made, first):
            if signing_in and n % (count // signing_in) == 0:  # evenly among the others
                told |= {"email": user.email, "password": password}
            else:
                told["access"] = tokens.issue(Session.objects.create(user=user))["access"]
            print(json.dumps(told), flush=True)


def patient(
    number: int, doctor: User, hashed: str, remedies: list[Remedy], conditions: list[Condition]
) -> tuple[User, dict[str, Any]]:
    user = User.objects.create(email=f"{new_id()}@load.example", password=hashed)
    mizaj = list(Mizaj)[number % len(Mizaj)]
    record = create_patient(actor=doctor, user=user, full_name="Load", mizaj_type=mizaj, care_team=[doctor])
    condition = conditions[number % len(conditions)]
    diagnosis = record_diagnosis(actor=doctor, patient=record, condition=condition, severity=3)
    given = [remedies[(number + 7 * k) % len(remedies)] for k in range(GIVEN)]
    recommendations = [str(recommend(actor=doctor, diagnosis=diagnosis, remedy=remedy).pk) for remedy in given]
    return user, {"diagnosis": str(diagnosis.pk), "recommendations": recommendations}


main()
