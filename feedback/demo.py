"""The demonstration clinic: invented people, drawn from a stated model with a fixed seed.

The latent model. Whether a report is a success is a coin with

    logit P = 0.35 + a[remedy] + c[condition] + t[patient] + k[patient, kind]
              - 0.9 (d - 0.75) + m[remedy] (day - 60) / 60

* `a` ~ Normal(0, 0.6) is how good a remedy is, `c` ~ Normal(0, 0.3) how easily a condition yields;
* `t` ~ Normal(0, 0.4) is a patient's disposition, `k` ~ Normal(0, 0.4) a taste for a kind of remedy;
* `d` is the distance of the remedy's degrees from the exact opposite of the imbalance (predictions/features.py), 0.75
  where either is unknown: treatment by opposites works a little in this clinic;
* `m` is 0 for most remedies, +0.9 for one in eight (it gets better) and -0.9 for one in eight (it gets worse) over
  the 120 days.

A success is rated 3, 4 or 5 (25, 45, 30 %), a failure 1 or 2 (35, 65 %). Improvement follows the rating within one
step, compliance is high. One report in seven mentions a side effect, failures twice as often as successes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import numpy as np

from diagnoses.mizaj import Mizaj
from diagnoses.models import Condition, Remedy
from predictions.features import temperament_distance

Choice = TypeVar("Choice")

SEED = 1037  # the year Ibn Sina died
DAYS = 120
PATIENTS, DIAGNOSES, REPORTS = 200, 400, 5_000
CONDITIONS, REMEDIES = 24, 60

WOMEN = [
    "سارا", "مریم", "زهرا", "فاطمه", "نرگس", "لیلا", "شیرین", "پریسا", "الهام", "نیلوفر", "مینا", "سمیرا",
    "آزاده", "هانیه", "یاسمن",
]  # fmt: skip
MEN = [
    "رضا", "علی", "حسین", "محمد", "امیر", "مهدی", "سعید", "بهرام", "کیان", "آرش", "فرهاد", "نیما", "پیمان",
    "داریوش", "سامان",
]  # fmt: skip
FAMILIES = [
    "مرادی", "احمدی", "کریمی", "رضایی", "موسوی", "جعفری", "صادقی", "نوری", "حیدری", "قاسمی", "اکبری",
    "سلطانی", "شریفی", "یوسفی", "رستمی", "کاظمی", "باقری", "طاهری",
]  # fmt: skip

KINDS = [Remedy.Kind.HERBAL, Remedy.Kind.DIETARY, Remedy.Kind.LIFESTYLE, Remedy.Kind.PHYSICAL]
DIRECTIONS = {
    "herbal": [("نصف قاشق چای‌خوری", "روزی دو بار"), ("یک فنجان دم‌کرده", "شب‌ها"), ("سه گرم", "روزی سه بار")],
    "dietary": [("یک وعده", "هر روز"), ("دو قاشق غذاخوری", "صبح ناشتا")],
    "lifestyle": [("", "هر روز"), ("", "هر شب")],
    "physical": [("پانزده دقیقه", "هفته‌ای سه بار"), ("ده دقیقه", "هر شب")],
}


@dataclass(frozen=True)
class Person:
    name: str
    sex: str
    birth_date: date
    mizaj: Mizaj
    disposition: float
    tastes: dict[str, float]


@dataclass(frozen=True)
class Advice:
    """One recommendation to be made: which person, condition and remedy, since which day of the story."""

    person: int
    case: int
    condition: Condition
    severity: int
    imbalance: str
    remedy: Remedy
    dosage: str
    frequency: str
    duration_days: int
    since_day: int


@dataclass(frozen=True)
class Told:
    advice: int
    at: datetime
    rating: int
    improvement: int
    compliance: int | None
    side_effect: int | None
    severity: int


class Story:
    """Everything that happens in the demonstration clinic; the same for the same catalogue and moment.

    `people`, `advice` (two diagnoses a person; two or three remedies each, four for the first two people) and
    `reports` (oldest first; busy recommendations are reported on more often) are lists that point into each other.
    """

    def __init__(self, conditions: Sequence[Condition], remedies: Sequence[Remedy], side_effects: int, now: datetime):
        self._random = np.random.default_rng(SEED)
        self.now = now
        self.side_effects = side_effects
        self.conditions = list(conditions)[:CONDITIONS]
        chosen = self._random.permutation(len(remedies))[:REMEDIES]
        self.remedies = [remedies[i] for i in sorted(chosen)]
        self._good = self._random.normal(0, 0.6, len(self.remedies))
        self._easy = self._random.normal(0, 0.3, len(self.conditions))
        self._moving = self._random.choice([0.9, -0.9, 0.0], len(self.remedies), p=[1 / 8, 1 / 8, 6 / 8])
        self.people = [self._person(number) for number in range(PATIENTS)]
        self.advice = self._advice()
        self.reports = self._reports()

    def start(self, day: int) -> datetime:
        return self.now - timedelta(days=DAYS - day)

    def _person(self, number: int) -> Person:
        female = number % 2 == 0
        names = WOMEN if female else MEN
        first = names[0] if number < 2 else self._pick(names)
        return Person(
            name=f"{first} {self._pick(FAMILIES)}",
            sex="female" if female else "male",
            birth_date=self.now.date() - timedelta(days=int(self._random.integers(18 * 365, 80 * 365))),
            mizaj=self._pick(list(Mizaj)),
            disposition=float(self._random.normal(0, 0.4)),
            tastes={kind: float(self._random.normal(0, 0.4)) for kind in KINDS},
        )

    def _advice(self) -> list[Advice]:
        found: list[Advice] = []
        for case in range(DIAGNOSES):
            person = case % PATIENTS
            earlier = {advice.condition for advice in found if advice.person == person}
            condition = self._pick([c for c in self.conditions if c not in earlier])
            found += self._treatment(case, person, condition)
        return found

    def _treatment(self, case: int, person: int, condition: Condition) -> list[Advice]:
        imbalance = self._pick([m.value for m in Mizaj if m is not Mizaj.BALANCED])
        severity, since = int(self._random.integers(1, 6)), int(self._random.integers(0, DAYS // 2))
        how_many = 4 if person < 2 else int(self._random.choice([2, 3]))
        remedies = self._random.choice(len(self.remedies), how_many, replace=False)
        return [self._advise(case, person, condition, severity, imbalance, int(r), since) for r in remedies]

    def _advise(
        self, case: int, person: int, condition: Condition, severity: int, imbalance: str, remedy: int, since: int
    ) -> Advice:
        chosen = self.remedies[remedy]
        dosage, frequency = self._pick(DIRECTIONS.get(chosen.kind, [("", "")]))
        days = int(self._random.choice([30, 60, 90]))
        return Advice(person, case, condition, severity, imbalance, chosen, dosage, frequency, days, since)

    def _reports(self) -> list[Told]:
        weights = self._random.gamma(2.0, 1.0, len(self.advice))
        spread = self._random.multinomial(REPORTS, weights / weights.sum())
        found = [self._report(number) for number, count in enumerate(spread) for _ in range(count)]
        return sorted(found, key=lambda report: report.at)

    def _report(self, number: int) -> Told:
        advice = self.advice[number]
        moment = self._random.uniform(advice.since_day, DAYS)
        success = self._random.random() < self.chance(advice, moment)
        if success:
            rating = int(self._random.choice([3, 4, 5], p=[0.25, 0.45, 0.30]))
        else:
            rating = int(self._random.choice([1, 2], p=[0.35, 0.65]))
        suffered = self._random.random() < (0.1 if success else 0.2)
        return Told(
            advice=number,
            at=self.now - timedelta(days=DAYS - moment, minutes=1),
            rating=rating,
            improvement=int(np.clip(rating + self._random.integers(-1, 2), 1, 5)),
            compliance=int(self._random.choice([3, 4, 5])) if self._random.random() < 0.8 else None,
            side_effect=int(self._random.integers(self.side_effects)) if suffered else None,
            severity=int(self._random.choice([1, 2, 3, 4, 5], p=[0.35, 0.3, 0.2, 0.1, 0.05])),
        )

    def chance(self, advice: Advice, day: float) -> float:
        """The latent success probability: what the system is asked to find."""
        person = self.people[advice.person]
        remedy = self.remedies.index(advice.remedy)
        distance = temperament_distance(advice.remedy.warmth, advice.remedy.moisture, advice.imbalance)
        logit = 0.35 + self._good[remedy] + self._easy[self.conditions.index(advice.condition)]
        logit += person.disposition + person.tastes.get(advice.remedy.kind, 0.0)
        logit -= 0.9 * ((0.75 if math.isnan(distance) else distance) - 0.75)
        logit += self._moving[remedy] * (day - 60) / 60
        return float(1 / (1 + math.exp(-logit)))

    def _pick(self, options: Sequence[Choice]) -> Choice:
        return options[int(self._random.integers(len(options)))]
