"""A clinic in which nearly every answer has something in it, and the values that name its rows."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts import tokens
from accounts.actions import set_consents
from accounts.models import Role, Session, User
from diagnoses.actions import contraindicate, create_patient, recommend, record_diagnosis, replace_recommendation
from diagnoses.mizaj import Mizaj
from diagnoses.models import Condition, Consent, Contraindication, Patient, Remedy, SideEffect
from feedback.actions import submit
from predictions.models import PredictionModel
from tests.avicenna.test_permissions import POINT

PASSWORD = "saffron-and-rose"


class Clinic:
    """Six patients of one practitioner, so that public figures are shown; everybody has the same password."""

    def __init__(self) -> None:
        self.headache = Condition.objects.create(slug="headache", name_en="Headache", name_fa="سردرد", category="head")
        # The last is what can still be recommended.
        self.mint, self.violet, self.rose, _ = (
            Remedy.objects.create(
                slug=slug, name_en=slug.title(), name_fa=name, kind="herbal", warmth=warmth, moisture=-warmth
            )
            for slug, name, warmth in (
                ("mint", "نعناع", 2),
                ("violet", "بنفشه", -1),
                ("rose", "گل سرخ", -2),
                ("saffron", "زعفران", 3),
            )
        )
        self.nausea = SideEffect.objects.create(slug="nausea", name_en="Nausea", name_fa="تهوع")
        self.bob = self._person("bob", Role.PRACTITIONER)
        self.people: dict[str, User | None] = {
            "nobody": None,
            "practitioner": self.bob,
            "outsider": self._person("charlie", Role.PRACTITIONER),
            "signed out": self.bob,
            "head of the clinic": self._person("sam", Role.HEAD),
            "reception": self._person("rana", Role.RECEPTION),
            "operator": self._person("omid", Role.OPERATOR),
        }
        patients = [self._patient(number) for number in range(6)]
        self.people["patient"], self.people["other patient"] = patients[0].user, patients[1].user
        PredictionModel.objects.create(version=1, training_size=1, holdout_size=1, is_active=True)
        self.names = self._names(patients[0])

    def _person(self, name: str, role: Role) -> User:
        user: User = User.objects.create(
            email=f"{name}@clinic.example", role=role, name=name.title(), password=make_password(PASSWORD)
        )
        return user

    def _patient(self, number: int) -> Patient:
        """With a diagnosis, recommendations of each kind, reports with a severe side effect, and more."""
        user = self._person(f"patient-{number}", Role.PATIENT)
        patient = create_patient(
            actor=None,
            user=user,
            full_name=f"Patient {number}",
            care_team=[self.bob],
            mizaj_type=Mizaj.WARM_DRY,
            sex="female",
            birth_date=timezone.localdate().replace(year=1980, month=1, day=1),
            medical_history="A history",
        )
        diagnosis = record_diagnosis(
            actor=self.bob, patient=patient, condition=self.headache, severity=3, symptoms=["pain"], notes="Notes"
        )
        followed, replaced = (
            recommend(actor=self.bob, diagnosis=diagnosis, remedy=r) for r in (self.mint, self.violet)
        )
        replace_recommendation(actor=self.bob, recommendation=replaced, remedy=self.rose)
        said = {"rating": 2 + number % 4, "symptom_improvement": 4, "comment": "A comment"}
        submit(actor=user, recommendation_id=followed.pk, side_effects={self.nausea: 4}, **said)
        submit(actor=user, recommendation_id=followed.pk, **said)
        contraindicate(
            actor=self.bob, patient=patient, remedy=self.violet, cause=Contraindication.Cause.ALLERGY, reason="A reason"
        )
        set_consents(actor=user, consents=dict.fromkeys(Consent.Purpose.values, True), language="en")
        return patient

    def token(self, role: str) -> str:
        """Empty for nobody."""
        user = self.people[role]
        if user is None:
            return ""
        session = Session.objects.create(user=user, ended_at=timezone.now() if role == "signed out" else None)
        return tokens.issue(session)["access"]

    def _names(self, patient: Patient) -> dict[str, list[Any]]:
        """What a parameter or field of this name may mean here; `id` depends on the address."""
        diagnosis = patient.diagnoses.get()
        recommendations = [str(one.pk) for one in diagnosis.recommendations.all()]
        report = diagnosis.feedback.exclude(flag=None).get()
        bob = self.people["practitioner"]
        assert bob and patient.user
        return {
            "patients": [str(patient.pk)],
            "diagnoses": [str(diagnosis.pk)],
            "recommendations": recommendations,
            "feedback": [str(report.pk)],
            "contraindications": [str(patient.contraindications.get().pk)],
            "severe-side-effects": [str(report.flag.pk)],
            "sessions": [str(Session.objects.create(user=patient.user).pk)],
            "remedies": ["mint", "violet", "rose", "saffron"],
            "conditions": ["headache"],
            "side-effects": ["nausea"],
            "emails": [patient.user.email, bob.email],
            "passwords": [PASSWORD],
            "pages": [1],
            "reason": ["she fainted here today"],
            "dosage": ["3 g"],
            "frequency": ["twice a day"],
            "instructions": ["after a meal"],
            "duration_days": [14],
            "endpoint": ["https://fcm.googleapis.com/x"],
            "p256dh": [POINT],
            "auth": ["A" * 22],
            "refreshes": [tokens.issue(Session.objects.create(user=patient.user))["refresh"]],
        }
