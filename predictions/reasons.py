"""Why a score is what it is, in words, in the caller's language."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# A group that moves the odds by less than a tenth is not worth a sentence.
NOTICEABLE = 0.1
AT_MOST = 3

# group → (when it raises the score, when it lowers it)
SENTENCES: dict[str, tuple[Promise, Promise]] = {
    "remedy": (_("This remedy helps most people who try it."), _("This remedy helps fewer people than others do.")),
    "condition": (
        _("This complaint usually responds well."),
        _("This complaint is harder to relieve than most."),
    ),
    "remedy_condition": (
        _("It worked well for others with this complaint."),
        _("It worked less well for others with this complaint."),
    ),
    "remedy_mizaj": (
        _("It suited people of your temperament."),
        _("It suited people of your temperament less."),
    ),
    "mizaj": (
        _("People of your temperament tend to respond well."),
        _("People of your temperament tend to respond less."),
    ),
    "age_band": (_("People of your age tend to respond well."), _("People of your age tend to respond less.")),
    "sex": (_("People of your sex tend to respond well."), _("People of your sex tend to respond less.")),
    "patient": (
        _("Your earlier treatments went well."),
        _("Your earlier treatments brought less relief."),
    ),
    "patient_kind": (
        _("Remedies of this kind have helped you before."),
        _("Remedies of this kind have helped you less before."),
    ),
    "distance": (
        _("Its temperament counters the imbalance found."),
        _("Its temperament does not counter the imbalance found."),
    ),
}

BY_SOURCE: dict[str, Promise] = {
    "own_history": _("Estimated from your own reports and those of others; no model has been trained yet."),
    "similar_patients": _("Estimated from people with this complaint; no model has been trained yet."),
    "remedy_history": _("Estimated from what others reported on this remedy; no model has been trained yet."),
    "prior": _("Nobody has reported on this yet; the estimate is a cautious guess."),
}


def reasons_from_model(contributions: Mapping[str, float]) -> list[str]:
    """The few groups that moved the score most, on the logit scale, strongest first."""
    strongest = sorted(contributions, key=lambda group: -abs(contributions[group]))
    told = [group for group in strongest if group in SENTENCES and abs(contributions[group]) >= NOTICEABLE]
    sentences = [str(SENTENCES[group][contributions[group] < 0]) for group in told[:AT_MOST]]
    return sentences or [str(_("Little is known about this combination; the estimate stays near the average."))]


def reasons_from_evidence(source: str) -> list[str]:
    return [str(BY_SOURCE[source])]
