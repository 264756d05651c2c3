"""`python -m tests.chaos.clinic COUNT [NAME]`: prepares the database and prints the clinic as JSON.

One practitioner, one patient for every diagnosis, all signed in. Another name makes another clinic beside the first.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from accounts import tokens  # noqa: E402
from accounts.models import Role, Session, User  # noqa: E402
from diagnoses.actions import create_patient, recommend, record_diagnosis  # noqa: E402
from diagnoses.models import Condition, Remedy  # noqa: E402


def sign_in(user: User) -> str:
    return tokens.issue(Session.objects.create(user=user))["access"]


def person(email: str, role: Role) -> User:
    return User.objects.create(email=email, role=role, password="!")


def treat(name: str, number: int, doctor: User, condition: Condition, remedy: Remedy) -> dict[str, Any]:
    user = person(f"patient-{number}@{name}.example", Role.PATIENT)
    patient = create_patient(actor=doctor, user=user, full_name=f"Patient {number}")
    diagnosis = record_diagnosis(actor=doctor, patient=patient, condition=condition, severity=3)
    recommendation = recommend(actor=doctor, diagnosis=diagnosis, remedy=remedy)
    diagnosis.refresh_from_db()
    return {
        "id": str(diagnosis.pk),
        "recommendation": str(recommendation.pk),
        "patient": sign_in(user),
        "head": diagnosis.head,
    }


def main(count: int, name: str = "chaos") -> None:
    call_command("migrate", verbosity=0)
    doctor = person(f"doctor@{name}.example", Role.PRACTITIONER)
    names = {"name_en": "Headache", "name_fa": "سردرد"}
    condition, _ = Condition.objects.get_or_create(slug="headache", defaults=names)
    mint = {"name_en": "Mint", "name_fa": "نعناع", "kind": "herbal", "warmth": 2, "moisture": -2}
    remedy, _ = Remedy.objects.get_or_create(slug="mint", defaults=mint)
    diagnoses = [treat(name, number, doctor, condition, remedy) for number in range(count)]
    sys.stdout.write(json.dumps({"doctor": sign_in(doctor), "diagnoses": diagnoses}))


main(int(sys.argv[1]), *sys.argv[2:])
