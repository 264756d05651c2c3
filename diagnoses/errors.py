"""What the actions here refuse, and why."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from avicenna.errors import ActionError
from diagnoses.models import Contraindication, Diagnosis, Patient, Recommendation


class AlreadyEnded(ActionError):
    code = "already_ended"
    message = _("This recommendation is no longer active.")
    status = status.HTTP_409_CONFLICT


class ChangedMeanwhile(ActionError):
    """Somebody else was faster; `row` is what is there now."""

    code = "changed_meanwhile"
    message = _("Somebody else has changed this meanwhile. Please look at it again.")
    status = status.HTTP_409_CONFLICT

    def __init__(self, row: Diagnosis | Patient | Recommendation) -> None:
        super().__init__()
        self.row = row


class AlreadyRecommended(ActionError):
    code = "already_recommended"
    message = _("This remedy is already recommended in this diagnosis.")
    status = status.HTTP_409_CONFLICT


class AlreadyContraindicated(ActionError):
    code = "already_contraindicated"
    message = _("It is already stated that this remedy must not be given.")
    status = status.HTTP_409_CONFLICT


class AlreadyLifted(ActionError):
    code = "already_lifted"
    message = _("This contraindication is already lifted.")
    status = status.HTTP_409_CONFLICT


class Contraindicated(ActionError):
    """Says which remedy and the cause; the reason is for those who read the record."""

    code = "contraindicated"
    status = status.HTTP_409_CONFLICT

    def __init__(self, contraindication: Contraindication) -> None:
        self.message = gettext("%(remedy)s must not be given to this patient (%(cause)s).") % {
            "remedy": contraindication.remedy.name,
            "cause": contraindication.get_cause_display(),
        }
        super().__init__(field="remedy")


class RecordClosed(ActionError):
    code = "record_closed"
    message = _("This record takes nothing new: that is the patient's wish.")
    status = status.HTTP_409_CONFLICT


class NoSuchPatient(ActionError):
    """Erased meanwhile."""

    code = "not_found"
    message = _("There is no such patient.")
    status = status.HTTP_404_NOT_FOUND


class DiagnosisClosed(ActionError):
    code = "diagnosis_closed"
    message = _("This diagnosis is closed.")
    status = status.HTTP_409_CONFLICT


class NotAPractitioner(ActionError):
    code = "not_a_practitioner"
    message = _("A care team consists of practitioners.")


class RetiredTerm(ActionError):
    code = "retired"
    message = _("This is no longer in use in the catalogue.")


class AlreadyVisible(ActionError):
    code = "already_visible"
    message = _("You can see this record already.")
    status = status.HTTP_409_CONFLICT


class NoReason(ActionError):
    code = "no_reason"
    message = _("Please give the reason in a few words.")
