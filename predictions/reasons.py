"""Why a score is what it is, in words, in the reader's language: to the patient, or about the patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from predictions.ranking import Prediction

# A group that moves the odds by less than a tenth is not worth a sentence.
NOTICEABLE = 0.1
AT_MOST = 3

LITTLE_KNOWN = _("Little is known about this combination; the estimate stays near the average.")


@dataclass(frozen=True)
class Wording:
    """`groups`: what is said when a group raises the score, and when it lowers it; `sources`: what a score rests on."""

    groups: Mapping[str, tuple[Promise, Promise]]
    sources: Mapping[str, Promise]

    def reasons(self, prediction: Prediction) -> list[str]:
        if prediction.contributions is None:
            return [str(self.sources[prediction.evidence.source])]
        return self._strongest(prediction.contributions)

    def _strongest(self, contributions: Mapping[str, float]) -> list[str]:
        strongest = sorted(contributions, key=lambda group: -abs(contributions[group]))
        told = [group for group in strongest if group in self.groups and abs(contributions[group]) >= NOTICEABLE]
        sentences = [str(self.groups[group][contributions[group] < 0]) for group in told[:AT_MOST]]
        return sentences or [str(LITTLE_KNOWN)]


_ANYONE = Wording(
    groups={
        "remedy": (_("This remedy helps most people who try it."), _("This remedy helps fewer people than others do.")),
        "condition": (
            _("This complaint usually responds well."),
            _("This complaint is harder to relieve than most."),
        ),
        "remedy_condition": (
            _("It worked well for others with this complaint."),
            _("It worked less well for others with this complaint."),
        ),
        "distance": (
            _("Its temperament counters the imbalance found."),
            _("Its temperament does not counter the imbalance found."),
        ),
    },
    sources={
        "similar_patients": _("Estimated from people with this complaint; no model has been trained yet."),
        "remedy_history": _("Estimated from what others reported on this remedy; no model has been trained yet."),
        "prior": _("Nobody has reported on this yet; the estimate is a cautious guess."),
    },
)

TO_PATIENT = Wording(
    groups={
        **_ANYONE.groups,
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
    },
    sources={
        **_ANYONE.sources,
        "own_history": _("Estimated from your own reports and those of others; no model has been trained yet."),
    },
)

ABOUT_PATIENT = Wording(
    groups={
        **_ANYONE.groups,
        "remedy_mizaj": (
            _("It suited people of this temperament."),
            _("It suited people of this temperament less."),
        ),
        "mizaj": (
            _("People of this temperament tend to respond well."),
            _("People of this temperament tend to respond less."),
        ),
        "age_band": (_("People of this age tend to respond well."), _("People of this age tend to respond less.")),
        "sex": (_("People of this sex tend to respond well."), _("People of this sex tend to respond less.")),
        "patient": (
            _("This patient's earlier treatments went well."),
            _("This patient's earlier treatments brought less relief."),
        ),
        "patient_kind": (
            _("Remedies of this kind have helped this patient before."),
            _("Remedies of this kind have helped this patient less before."),
        ),
    },
    sources={
        **_ANYONE.sources,
        "own_history": _(
            "Estimated from this patient's own reports and those of others; no model has been trained yet."
        ),
    },
)
