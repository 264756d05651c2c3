"""The only place that writes patients, diagnoses, recommendations and contraindications, and tells the stream about it.

`actor` is who does it. None is the operator at the command line (an import, the demonstration clinic).
"""

from __future__ import annotations

from diagnoses.actions.catalogue import save_term
from diagnoses.actions.consents import note_consents
from diagnoses.actions.contraindications import contraindicate, lift_contraindication
from diagnoses.actions.diagnoses import change_diagnosis, record_diagnosis
from diagnoses.actions.patients import change_patient, create_patient, erase_patient, give_key, set_care_team
from diagnoses.actions.recommendations import (
    change_recommendation,
    complete_recommendation,
    recommend,
    replace_recommendation,
    stop_recommendation,
)

__all__ = [
    "change_diagnosis",
    "change_patient",
    "change_recommendation",
    "complete_recommendation",
    "contraindicate",
    "create_patient",
    "erase_patient",
    "give_key",
    "lift_contraindication",
    "note_consents",
    "recommend",
    "record_diagnosis",
    "replace_recommendation",
    "save_term",
    "set_care_team",
    "stop_recommendation",
]
