"""The shared cast: Alice is the patient, Bob is on her care team, Charlie is a practitioner who is not.

Dora is another patient. Sam is the head of the clinic, Rita its reception, Oscar operates its computers.
Whoever may do something, Charlie and Dora are tried too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.db.models.signals import post_migrate
from django.utils import translation
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Role, Session, User
from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.mizaj import Mizaj
from diagnoses.models import Condition, Diagnosis, Patient, Recommendation, Remedy, SideEffect
from predictions.registry import registry

Api = Callable[..., APIClient]

# The modules that take longest begin first: no worker shall be at one of them when the others have nothing left.
LONGEST = [
    "e2e",
    "chaos/test_chaos.py",
    "avicenna/test_serve.py",
    "avicenna/backup/test_cycle.py",
    "avicenna/doctor/test_processes.py",
    "avicenna/test_settings.py",
    "feedback/test_import_feedback.py",
    "feedback/test_seed_demo.py",
    "avicenna/test_permissions.py",
    "predictions/test_ranking.py",
    "predictions/test_train_predictor.py",
    "predictions/test_engine.py",
    "avicenna/bad_input/test_reports.py",
    "diagnoses/test_catalogue_command.py",
    "analytics/test_privacy.py",
    "realtime/test_processes.py",  # not beside chaos: both keep a whole clinic of servers busy
]
TESTS = Path(__file__).parent
BROWSER = TESTS / "e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(BROWSER if BROWSER in item.path.parents else item.path, len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A module's tests are given to one worker, and those with a browser all to one: they share a server."""
    if config.getoption("dist") != "loadscope":
        return None

    from xdist.scheduler import LoadScopeScheduling

    class ByServer(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/e2e" if nodeid.startswith("tests/e2e/") else str(super()._split_scope(nodeid))

    return ByServer(config, log)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: Any) -> None:
    """SQLite in a file: sockets are served from other threads, which an in-memory database locks out."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """No test asks for Django's own permissions: making them anew after each test that commits takes as long as it."""
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)
    if connection.vendor == "postgresql":
        # What emptied the tables after such a test would be refused by the guard of the audit trail.
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_auditrecord DISABLE TRIGGER audit_is_not_emptied")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    cache.clear()
    ContentType.objects.clear_cache()  # a test that commits ends with an empty table
    registry.forget()
    translation.deactivate()  # a request in Persian leaves its language to the thread
    yield
    registry.forget()


@pytest.fixture
def redis_is_away(settings: Any) -> Callable[[], None]:
    """From when it is called nobody listens where the cache was."""

    def away() -> None:
        nobody = {"LOCATION": "redis://127.0.0.1:1"}
        backends = {"default": "RedisCache", "limits": "CountingCache"}
        settings.CACHES = {
            alias: {"BACKEND": f"avicenna.redis_cache.{name}"} | nobody for alias, name in backends.items()
        }

    return away


@pytest.fixture
def api() -> Api:
    """A client for a user (None: nobody), signed in with a token of a session of their own."""

    def client(user: User | None = None, **headers: str) -> APIClient:
        signed_in = APIClient(**{f"HTTP_{name.upper()}": value for name, value in headers.items()})
        if user:
            access = tokens.issue(Session.objects.create(user=user))["access"]
            signed_in.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
        return signed_in

    return client


def _person(email: str, role: Role, name: str) -> User:
    return User.objects.create(email=email, role=role, name=name, password="!")


@pytest.fixture
def alice(db: None) -> User:
    return _person("alice@clinic.example", Role.PATIENT, "Alice")


@pytest.fixture
def bob(db: None) -> User:
    return _person("bob@clinic.example", Role.PRACTITIONER, "Dr Bob")


@pytest.fixture
def charlie(db: None) -> User:
    return _person("charlie@clinic.example", Role.PRACTITIONER, "Dr Charlie")


@pytest.fixture
def dora(db: None) -> User:
    user = _person("dora@clinic.example", Role.PATIENT, "Dora")
    create_patient(actor=None, user=user, full_name="Dora Other")
    return user


@pytest.fixture
def sam(db: None) -> User:
    return _person("sam@clinic.example", Role.HEAD, "Sam")


@pytest.fixture
def rita(db: None) -> User:
    return _person("rita@clinic.example", Role.RECEPTION, "Rita")


@pytest.fixture
def oscar(db: None) -> User:
    """Whatever Django's superusers may do elsewhere, it opens nothing here."""
    return User.objects.create(
        email="oscar@clinic.example", role=Role.OPERATOR, name="Oscar", password="!", is_superuser=True
    )


@pytest.fixture
def patient(alice: User, bob: User) -> Patient:
    return create_patient(
        actor=None, user=alice, full_name="Alice Owner", care_team=[bob], mizaj_type=Mizaj.WARM_DRY, sex="female"
    )


@pytest.fixture
def headache(db: None) -> Condition:
    return Condition.objects.create(slug="headache", name_en="Headache", name_fa="سردرد")


@pytest.fixture
def mint(db: None) -> Remedy:
    return Remedy.objects.create(slug="mint", name_en="Mint", name_fa="نعناع", kind="herbal", warmth=2, moisture=-2)


@pytest.fixture
def violet(db: None) -> Remedy:
    return Remedy.objects.create(
        slug="sweet-violet", name_en="Sweet violet", name_fa="بنفشه", kind="herbal", warmth=-1, moisture=1
    )


@pytest.fixture
def nausea(db: None) -> SideEffect:
    return SideEffect.objects.create(slug="nausea", name_en="Nausea", name_fa="تهوع")


@pytest.fixture
def diagnosis(patient: Patient, bob: User, headache: Condition) -> Diagnosis:
    return record_diagnosis(actor=bob, patient=patient, condition=headache, severity=3, imbalance=Mizaj.WARM)


@pytest.fixture
def recommendation(diagnosis: Diagnosis, bob: User, mint: Remedy) -> Recommendation:
    return recommend(actor=bob, diagnosis=diagnosis, remedy=mint)


@pytest.fixture
def report(recommendation: Recommendation) -> dict[str, Any]:
    """A valid report on Alice's recommendation."""
    return {
        "recommendation": str(recommendation.pk),
        "rating": 4,
        "symptom_improvement": 4,
        "client_id": str(uuid4()),
    }


@pytest.fixture
def other_diagnosis(patient: Patient, bob: User) -> Diagnosis:
    """A second diagnosis of Alice."""
    insomnia = Condition.objects.create(slug="insomnia", name_en="Insomnia", name_fa="بی‌خوابی")
    return record_diagnosis(actor=bob, patient=patient, condition=insomnia, severity=2)
