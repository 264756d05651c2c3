from __future__ import annotations

from typing import Any

from diagnoses.consents import TEXT_VERSION, TEXTS
from diagnoses.models import Consent, Patient


def texts() -> list[dict[str, Any]]:
    """What is asked, in the caller's language."""
    return [
        {"purpose": purpose, "title": str(title), "text": str(text), "text_version": TEXT_VERSION}
        for purpose, (title, text) in TEXTS.items()
    ]


def consents_of(patient: Patient) -> list[dict[str, Any]]:
    """The same with the newest answer to each."""
    newest = {consent.purpose: consent for consent in Consent.objects.filter(patient=patient)}
    return [asked | _answer(newest.get(asked["purpose"])) for asked in texts()]


def _answer(consent: Consent | None) -> dict[str, Any]:
    return {"is_given": consent and consent.is_given, "at": consent and consent.at}
