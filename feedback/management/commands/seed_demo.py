from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from accounts.models import Role, User
from diagnoses.actions import contraindicate, create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Contraindication, Diagnosis, Patient, Recommendation, Remedy, SideEffect
from feedback.actions import Report, submit_history
from feedback.demo import Advice, Story, Told

PASSWORD = "avicenna-demo"  # noqa: S105  (public on purpose, and only where DEBUG is on)
PATIENT_SIGN_INS = ["sara@demo.example", "reza@demo.example"]
PRACTITIONERS = {
    "dr.amini@demo.example": "دکتر امینی",
    "dr.karimi@demo.example": "دکتر کریمی",
    "dr.hosseini@demo.example": "دکتر حسینی",
}
STAFF = "admin@demo.example"
# One herb each for the patients who sign in.
NOT_TO_BE_GIVEN = [
    (Contraindication.Cause.ALLERGY, "کهیر پس از دومین نوبت"),
    (Contraindication.Cause.INTERACTION, "وارفارین مصرف می‌کند"),
]


class Command(BaseCommand):
    help = "Fills an empty database with the demonstration clinic. Refuses a database that holds real people."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there are patients already")

    def handle(self, *args: Any, if_empty: bool, **options: Any) -> None:
        if Patient.objects.exists() and if_empty:
            return
        if Patient.objects.exclude(source=Patient.Source.DEMO).exists():
            raise CommandError("There are real people in this database; the demonstration clinic stays out.")
        if Patient.objects.exists():
            self.stdout.write("The demonstration clinic is here already.")
            return
        if not Remedy.objects.exists():
            raise CommandError("The catalogue is empty: run load_catalogue first.")
        started = time.monotonic()
        story = Story(
            list(Condition.objects.all()), list(Remedy.objects.all()), SideEffect.objects.count(), timezone.now()
        )
        with transaction.atomic():  # the whole clinic or nothing
            self._build(story)
        self.stdout.write(
            f"The demonstration clinic: {len(PRACTITIONERS)} practitioners, {len(story.people)} patients, "
            f"{Diagnosis.objects.count()} diagnoses, {len(story.advice)} recommendations, "
            f"{len(story.reports)} reports in {time.monotonic() - started:.1f} s."
        )

    def _build(self, story: Story) -> None:
        practitioners = [self._user(email, Role.PRACTITIONER, name) for email, name in PRACTITIONERS.items()]
        self._user(STAFF, Role.HEAD, "رئیس درمانگاه")
        patients = [self._patient(story, number, practitioners) for number in range(len(story.people))]
        recommendations = self._advise(story, patients)
        self._contraindicate(story, patients)
        effects = list(SideEffect.objects.all())
        submit_history(reports=[_report(told, recommendations[told.advice], effects) for told in story.reports])

    def _user(self, email: str, role: Role, name: str = "") -> User:
        user = User.objects.filter(email=email).first()
        return user or User.objects.create_user(email, PASSWORD if settings.DEBUG else None, role=role, name=name)

    def _patient(self, story: Story, number: int, practitioners: list[User]) -> Patient:
        person = story.people[number]
        signs_in = number < len(PATIENT_SIGN_INS)
        return create_patient(
            actor=None,
            full_name=person.name,
            user=self._user(PATIENT_SIGN_INS[number], Role.PATIENT) if signs_in else None,
            care_team=[practitioners[0 if signs_in else number % len(practitioners)]],
            birth_date=person.birth_date,
            sex=person.sex,
            mizaj_type=person.mizaj,
            source=Patient.Source.DEMO,
            created_at=story.start(0),
        )

    def _advise(self, story: Story, patients: list[Patient]) -> list[Recommendation]:
        diagnoses: dict[int, Diagnosis] = {}
        made = []
        for advice in self._progress(story.advice):
            if advice.case not in diagnoses:
                diagnoses[advice.case] = self._diagnose(story, advice, patients[advice.person])
            made.append(
                recommend(
                    actor=None,
                    diagnosis=diagnoses[advice.case],
                    remedy=advice.remedy,
                    dosage=advice.dosage,
                    frequency=advice.frequency,
                    duration_days=advice.duration_days,
                    created_at=story.start(advice.since_day),
                )
            )
        return made

    def _contraindicate(self, story: Story, patients: list[Patient]) -> None:
        """Herbs that the story does not give them: its figures stay what they are."""
        herbs = [remedy for remedy in story.remedies if remedy.kind == Remedy.Kind.HERBAL]
        for number, (cause, reason) in enumerate(NOT_TO_BE_GIVEN):
            given = {advice.remedy for advice in story.advice if advice.person == number}
            contraindicate(
                actor=patients[number].care_team.get(),
                patient=patients[number],
                remedy=next(remedy for remedy in herbs if remedy not in given),
                cause=cause,
                reason=reason,
            )

    def _diagnose(self, story: Story, advice: Advice, patient: Patient) -> Diagnosis:
        return record_diagnosis(
            actor=None,
            practitioner=patient.care_team.get(),
            patient=patient,
            condition=advice.condition,
            severity=advice.severity,
            imbalance=advice.imbalance,
            created_at=story.start(advice.since_day),
        )

    def _progress(self, advice: list[Advice]) -> Any:
        console = Console(file=self.stdout)  # type: ignore[arg-type]  # OutputWrapper is a text stream
        return track(advice, "Filling the clinic", console=console, transient=True, disable=not console.is_terminal)


def _report(told: Told, recommendation: Recommendation, effects: list[SideEffect]) -> Report:
    return Report(
        recommendation_id=recommendation.pk,
        rating=told.rating,
        symptom_improvement=told.improvement,
        compliance=told.compliance,
        side_effects={} if told.side_effect is None else {effects[told.side_effect]: told.severity},
        at=told.at,
    )
