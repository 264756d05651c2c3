from __future__ import annotations

from typing import Any

from diagnoses.consents import TEXT_VERSION, TEXTS
from diagnoses.models import Consent, Patient


def consents_of(patient: Patient) -> list[dict[str, Any]]:
    """One row for each purpose, with the newest that was said about it."""
    newest = {consent.purpose: consent for consent in Consent.objects.filter(patient=patient)}
    rows = []
    for purpose in Consent.Purpose.values:
        title, text = TEXTS[purpose]
        said = newest.get(purpose)
        rows.append(
            {
                "purpose": purpose,
                "title": str(title),
                "text": str(text),
                "text_version": TEXT_VERSION,
                "is_given": said.is_given if said else None,
                "at": said.at if said else None,
            }
        )
    return rows
