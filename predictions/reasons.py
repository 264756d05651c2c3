"""Why a score is what it is, in words, in the reader's language: to the patient, or about the patient.

What is said in numbers is what everybody may see of the remedy (tellable.py), and the patient's own reports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from analytics.wording import number
from predictions.sources import NOTICEABLE

if TYPE_CHECKING:
    from accounts.models import User
    from diagnoses.models import Diagnosis
    from predictions.ranking import LeftOutCode, Prediction

AT_MOST = 3

Text = Promise | str

LITTLE_KNOWN = _("Little is known about this combination; the estimate stays near the average.")

LEFT_OUT: Mapping[LeftOutCode, Promise] = {
    "withdrawn": _("This remedy is no longer in use in the catalogue."),
    "contraindicated": _("This remedy must not be given to this patient."),
}

REACHED = _("Each of these probably reaches the target.")
NOTHING_REACHES = _("Nothing reaches the target surely enough; these come nearest.")
NOTHING_TO_RANK = _("There is no open recommendation to choose from.")


@dataclass(frozen=True)
class Influence:
    """What a group of features does to a score; `weight` is on the logit scale, above 0."""

    group: str
    direction: Literal["up", "down"]
    weight: float
    text: str


@dataclass(frozen=True)
class Wording:
    """`groups`: what is said when a group raises the score, and when it lowers it; `sources`: what a score rests on;
    `counts`: the same in numbers, where there are some to tell."""

    groups: Mapping[str, tuple[Text, Text]]
    sources: Mapping[str, Text]
    counts: Mapping[str, Text]

    def spoken(self) -> Wording:
        """The same in the language of now."""
        return Wording(
            groups={name: (str(up), str(down)) for name, (up, down) in self.groups.items()},
            sources={name: str(text) for name, text in self.sources.items()},
            counts={name: str(text) for name, text in self.counts.items()},
        )

    def reasons(self, prediction: Prediction, influences: Sequence[Influence]) -> list[str]:
        """`influences` are those of the prediction."""
        if prediction.contributions is None:
            return [str(self.sources[prediction.evidence.source]), *self._told(prediction)]
        return [one.text for one in influences] or [str(LITTLE_KNOWN)]

    def influences(self, prediction: Prediction) -> list[Influence]:
        """The groups that move the score most, the strongest first; none without a model.

        Where all of these point one way, the strongest that points the other way joins them.
        """
        moves = prediction.contributions or {}
        strongest = sorted(self.groups.keys() & moves.keys(), key=lambda group: (-abs(moves[group]), group))
        noticed = [group for group in strongest if abs(moves[group]) >= NOTICEABLE]
        named = noticed[:AT_MOST]
        against = [group for group in noticed[AT_MOST:] if all(moves[group] * moves[one] < 0 for one in named)]
        return [self._influence(group, moves[group], prediction) for group in named + against[:1]]

    def _influence(self, group: str, move: float, prediction: Prediction) -> Influence:
        sentences = [str(self.groups[group][move < 0]), *self._in_numbers(group, prediction)]
        return Influence(group, "up" if move > 0 else "down", abs(move), " ".join(sentences))

    def _told(self, prediction: Prediction) -> list[str]:
        return [sentence for name in self.counts for sentence in self._in_numbers(name, prediction)][: AT_MOST - 1]

    def _in_numbers(self, name: str, prediction: Prediction) -> list[str]:
        """One sentence, or none where nothing may be told."""
        if name not in prediction.told:
            return []
        successes, reports = prediction.told[name]
        return [str(self.counts[name]) % {"successes": number(successes), "reports": number(reports)}]


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
        "kind": (
            _("Remedies of this kind help most people who try them."),
            _("Remedies of this kind help fewer people than others do."),
        ),
        "drug_class": (
            _("Remedies of the same class help most people who try them."),
            _("Remedies of the same class help fewer people than others do."),
        ),
    },
    sources={
        "similar_patients": _("Estimated from people with this complaint; no model has been trained yet."),
        "remedy_history": _("Estimated from what others reported on this remedy; no model has been trained yet."),
        "prior": _("Nobody has reported on this yet; the estimate is a cautious guess."),
    },
    counts={
        "remedy_condition": _(
            "Of the last 90 days' reports on it for this complaint, %(successes)s of %(reports)s were successes."
        ),
        "remedy": _("Of the last 90 days' reports on it, %(successes)s of %(reports)s were successes."),
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
        "patient_remedy": (_("This remedy has helped you before."), _("This remedy has helped you less before.")),
        "patient_warmth": (
            _("Remedies as warm or as cold as this one have suited you."),
            _("Remedies as warm or as cold as this one have suited you less."),
        ),
        "patient_moisture": (
            _("Remedies as wet or as dry as this one have suited you."),
            _("Remedies as wet or as dry as this one have suited you less."),
        ),
        "mizaj_warmth": (
            _("Remedies as warm or as cold as this one suit people of your temperament."),
            _("Remedies as warm or as cold as this one suit people of your temperament less."),
        ),
        "mizaj_moisture": (
            _("Remedies as wet or as dry as this one suit people of your temperament."),
            _("Remedies as wet or as dry as this one suit people of your temperament less."),
        ),
    },
    sources={
        **_ANYONE.sources,
        "own_history": _("Estimated from your own reports and those of others; no model has been trained yet."),
    },
    counts={
        "own": _("Of your own reports on it in the last 90 days, %(successes)s of %(reports)s were successes."),
        "remedy_mizaj": _(
            "Of the last 90 days' reports on it by people of your temperament, %(successes)s of %(reports)s were "
            "successes."
        ),
        **_ANYONE.counts,
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
        "patient_remedy": (
            _("This remedy has helped this patient before."),
            _("This remedy has helped this patient less before."),
        ),
        "patient_warmth": (
            _("Remedies as warm or as cold as this one have suited this patient."),
            _("Remedies as warm or as cold as this one have suited this patient less."),
        ),
        "patient_moisture": (
            _("Remedies as wet or as dry as this one have suited this patient."),
            _("Remedies as wet or as dry as this one have suited this patient less."),
        ),
        "mizaj_warmth": (
            _("Remedies as warm or as cold as this one suit people of this temperament."),
            _("Remedies as warm or as cold as this one suit people of this temperament less."),
        ),
        "mizaj_moisture": (
            _("Remedies as wet or as dry as this one suit people of this temperament."),
            _("Remedies as wet or as dry as this one suit people of this temperament less."),
        ),
    },
    sources={
        **_ANYONE.sources,
        "own_history": _(
            "Estimated from this patient's own reports and those of others; no model has been trained yet."
        ),
    },
    counts={
        "own": _(
            "Of this patient's own reports on it in the last 90 days, %(successes)s of %(reports)s were successes."
        ),
        "remedy_mizaj": _(
            "Of the last 90 days' reports on it by people of this temperament, %(successes)s of %(reports)s were "
            "successes."
        ),
        **_ANYONE.counts,
    },
)


def wording_for(reader: User, diagnosis: Diagnosis) -> Wording:
    return _spoken(get_language(), diagnosis.patient.user_id == reader.pk)


@cache
def _spoken(language: str | None, to_patient: bool) -> Wording:
    """Hundreds of sentences are said in an answer: each is translated once for a process."""
    return (TO_PATIENT if to_patient else ABOUT_PATIENT).spoken()
