"""What the actions here refuse, and why."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework import status

from avicenna.errors import ActionError
from diagnoses.errors import RecordClosed


class ConsentWithdrawn(RecordClosed):
    """Said to the patient themselves."""

    message = _("You no longer consent to treatment, so nothing new is kept. You can consent again in your profile.")


class DiagnosisInError(ActionError):
    code = "diagnosis_closed"
    message = _("This diagnosis was entered in error; nothing can be reported on it.")
    status = status.HTTP_409_CONFLICT


class UnknownRecommendation(ActionError):
    message = _("There is no such recommendation among yours.")


class OtherDiagnosis(ActionError):
    message = _("The recommendation belongs to another diagnosis.")


class Withdrawn(ActionError):
    code = "withdrawn"
    message = _("This feedback was withdrawn.")
    status = status.HTTP_409_CONFLICT


class TooLate(ActionError):
    code = "too_late"
    message = _("Feedback can be changed for 30 days.")
    status = status.HTTP_409_CONFLICT
