"""`manage.py doctor`: each thing is broken for real, and found with what to do about it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts import tokens
from accounts.actions import sign_out
from accounts.models import Session
from avicenna.backup.folder import name_of
from avicenna.identifiers import new_id
from avicenna.jobs import JOBS
from avicenna.models import SignOfLife
from diagnoses.actions import stop_recommendation
from feedback.actions import submit
from predictions.engine import Model
from predictions.models import PredictionModel
from realtime.models import StreamProcess
from tests.realtime.conftest import server  # noqa: F401  (a fixture)

ROOT = Path(__file__).resolve().parents[2]
Doctor = Callable[..., dict[str, str]]


@pytest.fixture
def doctor(db: None) -> Doctor:
    """What is found about a part that is not as it should be, by what to do; nothing when all is well with it."""

    def examine(part: str, *arguments: object) -> dict[str, str]:
        said = StringIO()
        try:
            call_command("doctor", "--json", "--only", part, *map(str, arguments), stdout=said)
        except SystemExit as ended:
            assert ended.code == 1
        told = json.loads(said.getvalue())["findings"]
        assert part in {one["part"] for one in told}
        return {one["found"]: one["do"] for one in told if one["part"] == part and one["severity"] != "ok"}

    return examine


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_setting_that_is_wrong(doctor: Doctor, settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False

    assert any("avicenna.E008" in found for found in doctor("settings"))


def test_a_schema_that_is_whole(doctor: Doctor) -> None:
    assert doctor("schema") == doctor("migrations") == doctor("database") == {}


@pytest.mark.parametrize(
    ("breaking", "missing"),
    [
        ("DROP INDEX feedback_time", "index feedback_time on feedback_feedback"),
        ("ALTER TABLE feedback_feedback RENAME COLUMN compliance TO c", "column feedback_feedback.compliance"),
        ("DROP TABLE realtime_receipt", "table realtime_receipt"),
    ],
)
def test_what_the_database_lacks(doctor: Doctor, breaking: str, missing: str) -> None:
    execute(breaking)

    assert f"{missing} is missing" in doctor("schema")


def test_an_index_on_a_field_that_is_gone(doctor: Doctor) -> None:
    with connection.cursor() as cursor:
        present = connection.introspection.get_constraints(cursor, "diagnoses_patient")
    for name, found in present.items():
        if found["columns"] == ["mizaj_type"] and found["index"]:
            execute(f'DROP INDEX "{name}"')

    assert "index on diagnoses_patient.mizaj_type is missing" in doctor("schema")


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL has invalid indexes")
def test_an_index_that_was_not_finished(doctor: Doctor) -> None:
    execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'feedback_time'::regclass")

    assert doctor("schema")["index feedback_time is not valid"] == "REINDEX INDEX CONCURRENTLY feedback_time;"


def test_a_migration_that_is_not_applied(doctor: Doctor) -> None:
    MigrationRecorder(connection).record_unapplied("realtime", "0003_news")

    assert doctor("migrations") == {"not applied: realtime.0003_news": "manage.py migrate"}


def test_a_database_of_a_newer_version(doctor: Doctor) -> None:
    MigrationRecorder(connection).record_applied("realtime", "9999_later")

    assert "applied, but not known to this version: realtime.9999_later" in doctor("migrations")


def test_keys_that_do_not_open_what_is_stored(doctor: Doctor, patient: Any, settings: Any) -> None:
    assert doctor("sealed fields") == {}
    settings.FIELD_ENCRYPTION_KEYS = ["other:" + "Q" * 43 + "="]

    assert "diagnoses.PatientKey.secret cannot be opened; it was sealed with the key 'debug'" in doctor("sealed fields")


def test_redis_that_is_gone(doctor: Doctor, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    backend = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [settings.REDIS_URL]}}
    settings.CHANNEL_LAYERS = {"default": backend}

    assert "it does not answer (ConnectionError)" in doctor("redis")
    assert "a message does not come back" in next(iter(doctor("channel layer")))


def test_redis_and_the_channel_layer_under_test_answer(doctor: Doctor) -> None:
    assert doctor("redis") == doctor("channel layer") == {}


def test_a_worker_that_never_was_then_is_then_falls_silent(doctor: Doctor) -> None:
    assert "never been at work" in next(iter(doctor("worker")))
    next(job.do for job in JOBS if job.name == "life")()
    assert doctor("worker") == {}
    SignOfLife.objects.update(seen_at=timezone.now() - timedelta(hours=3))
    assert "silent for 3 hours" in next(iter(doctor("worker")))


def test_a_server_process_that_is_deaf(doctor: Doctor) -> None:
    now = timezone.now()
    StreamProcess.objects.create(
        id=new_id(), name="host:1", started_at=now, seen_at=now, connections=1, diagnoses=1, users=1, hears_hints=False
    )

    assert "host:1 hears no hints" in doctor("stream")


def test_no_model_although_there_are_reports(doctor: Doctor, alice: Any, recommendation: Any) -> None:
    assert doctor("model") == {}
    submit(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4)

    assert "manage.py train_predictor" in doctor("model")["none is in use, although there are 1 reports"]


def stored_model(**changes: Any) -> PredictionModel:
    given = {"version": 3, "training_size": 9, "holdout_size": 1, "is_active": True, "coefficients": {}}
    return PredictionModel.objects.create(**given | changes)


def test_a_model_that_is_damaged(doctor: Doctor) -> None:
    stored_model()

    assert "v3 is damaged" in doctor("model")


def test_a_model_that_is_old(doctor: Doctor, alice: Any, recommendation: Any) -> None:
    now = timezone.now()
    stored_model(coefficients=Model(0.5, 1.0, ()).to_dict(), trained_until=now - timedelta(days=40))
    PredictionModel.objects.update(trained_at=now - timedelta(days=40))
    submit(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4)

    assert doctor("model") == {"v3, trained 40 days ago on 9 reports, 1 since": "manage.py train_predictor"}


def test_a_disk_that_is_full(doctor: Doctor) -> None:
    assert doctor("disk", "--disk-free", 0) == {}
    assert all("stops every write" in do for do in doctor("disk", "--disk-free", 100).values())
    assert doctor("disk", "--disk-free", 100)


def test_backups_that_are_missing_old_or_cut(doctor: Doctor, settings: Any, tmp_path: Path) -> None:
    settings.BACKUP_KEY, settings.BACKUP_FOLDER = ["b:" + "Q" * 43 + "="], str(tmp_path)
    assert "there is none" in next(iter(doctor("backup")))

    old = tmp_path / name_of(timezone.now() - timedelta(days=3))
    old.write_bytes(b"cut")
    assert list(doctor("backup")) == [f"{old.name} is not as it was written", "the newest of 1 is 3 days old"]


def write_certificate(path: Path, *, days: float, name: str = "127.0.0.1") -> Path:
    """Signed by itself, ending in so many days; its key beside it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    begins, ends = now - timedelta(days=90), now + timedelta(days=days)
    signed = built.not_valid_before(begins).not_valid_after(ends).sign(key, SHA256())
    path.write_bytes(signed.public_bytes(Encoding.PEM))
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.with_suffix(".key").write_bytes(key.private_bytes(*form))
    return path


@pytest.mark.parametrize(
    ("days", "said"), [(-2.0, "it ended 2 days ago"), (3.01, "it holds for 3 days more"), (60.0, "")]
)
def test_a_certificate_that_ends(doctor: Doctor, settings: Any, tmp_path: Path, days: float, said: str) -> None:
    settings.TLS_CERTIFICATE_PATH = str(write_certificate(tmp_path / "c.pem", days=days))

    assert list(doctor("certificate")) == ([said] if said else [])


def test_a_certificate_that_is_not_there(doctor: Doctor, settings: Any, tmp_path: Path) -> None:
    settings.TLS_CERTIFICATE_PATH = str(tmp_path / "none.pem")

    assert "cannot be read" in next(iter(doctor("certificate")))


# --- why is this token not taken? -----------------------------------------------------------------


@pytest.fixture
def session(alice: Any) -> Session:
    return Session.objects.create(user=alice)


def changed(token: str, settings: Any, **claims: Any) -> str:
    """The same token with other claims, signed as the clinic does."""
    read = jwt.decode(token, options={"verify_signature": False}) | claims
    return jwt.encode(read, settings.SECRET_KEY, algorithm="HS256")


def test_a_good_token(doctor: Doctor, session: Session) -> None:
    assert doctor("token", "--token", tokens.issue(session)["access"]) == {}


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": 1_700_000_000}, "it expired at 2023-11-14 22:13:20 UTC"),
        ({"iat": 4_000_000_000}, "it was issued in the future"),
        ({"aud": "elsewhere"}, "it is for another audience"),
        ({"iss": "elsewhere"}, "it is of another issuer"),
        ({"sid": str(new_id())}, "its session is not in this database"),
        ({"sid": "nonsense"}, "its session is not in this database"),
    ],
)
def test_a_token_with_one_thing_wrong(
    doctor: Doctor, session: Session, settings: Any, claims: dict[str, Any], said: str
) -> None:
    assert list(doctor("token", "--token", changed(tokens.issue(session)["access"], settings, **claims))) == [said]


def test_a_token_of_another_key(doctor: Doctor, session: Session, settings: Any) -> None:
    settings.SECRET_KEY = "another" * 10
    token = changed(tokens.issue(session)["access"], settings)

    assert list(doctor("token", "--token", token)) == ["it was signed with another key, or changed"]


def test_what_is_no_token(doctor: Doctor) -> None:
    assert list(doctor("token", "--token", "abc")) == ["this is no token"]


def test_a_token_whose_session_ended(doctor: Doctor, session: Session) -> None:
    token = tokens.issue(session)["access"]
    sign_out(session=session)

    assert "its session ended at" in next(iter(doctor("token", "--token", token)))


def test_a_token_of_somebody_who_may_no_longer(doctor: Doctor, session: Session) -> None:
    session.user.is_active = False
    session.user.save(update_fields=["is_active"])

    assert list(doctor("token", "--token", tokens.issue(session)["access"])) == ["its user is not active"]


def test_a_refresh_token_that_was_used(doctor: Doctor, session: Session, api: Any) -> None:
    refresh = tokens.issue(session)["refresh"]
    assert api().post("/api/auth/token/refresh", {"refresh": refresh}).status_code == 200

    assert list(doctor("token", "--token", refresh)) == ["it is a refresh token", "it was used before"]


def test_neither_token_nor_person_is_named(session: Session) -> None:
    token, said = tokens.issue(session)["access"], StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--only", "token", "--only", "worker", "--token", token, stdout=said)

    assert not any(part in said.getvalue() for part in (*token.split("."), "alice", str(session.pk)))


# --- why do the predictions not improve? ----------------------------------------------------------


def test_why_the_predictions_of_a_diagnosis_do_not_improve(doctor: Doctor, alice: Any, recommendation: Any) -> None:
    arguments = ("predictions", "--diagnosis", recommendation.diagnosis_id)
    assert "there is no report on this diagnosis" in doctor(*arguments)
    assert "1 open recommendations have no report" in doctor(*arguments)

    submit(actor=alice, recommendation_id=recommendation.pk, rating=2, symptom_improvement=2)
    found = doctor(*arguments)
    assert "1 reports on this diagnosis, 2.0 of 5 on average" in found
    assert "0 other patients of the same mizaj have reported" in found
    assert "1 of the recommended remedies have fewer than 5 reports from all patients" in found
    assert "not recorded: birth date" in found

    stop_recommendation(actor=None, recommendation=recommendation)
    assert "there is no open recommendation, so nothing to rank" in doctor(*arguments)


def test_why_the_predictions_for_a_patient_do_not_improve(doctor: Doctor, dora: Any) -> None:
    found = doctor("predictions", "--patient", dora.patient.pk)

    assert "the patient's mizaj is not recorded" in found
    assert "Dora" not in str(found)


def test_who_is_not_there_cannot_be_examined(db: None) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("doctor", "--only", "predictions", "--diagnosis", str(new_id()))

    assert refused.value.returncode == 2


# --- why can the phone not connect? ---------------------------------------------------------------


def at(server: str) -> str:  # noqa: F811
    return server.replace("ws://", "http://")


@pytest.mark.django_db(transaction=True)
def test_a_clinic_that_a_phone_reaches(doctor: Doctor, server: str, settings: Any) -> None:  # noqa: F811
    settings.ALLOWED_HOSTS, settings.DEBUG = ["127.0.0.1", "clinic.example"], True

    assert doctor("reach", "--url", at(server)) == {}


@pytest.mark.django_db(transaction=True)
def test_a_host_that_is_not_allowed(doctor: Doctor, server: str, settings: Any) -> None:  # noqa: F811
    settings.ALLOWED_HOSTS, settings.DEBUG = ["clinic.example"], True

    assert list(doctor("reach", "--url", at(server))) == ["127.0.0.1 is not in ALLOWED_HOSTS", "it answers 400"]


@pytest.mark.django_db(transaction=True)
def test_a_page_from_elsewhere(doctor: Doctor, server: str, settings: Any) -> None:  # noqa: F811
    settings.ALLOWED_HOSTS, settings.DEBUG = ["127.0.0.1", "clinic.example"], True
    arguments = ("reach", "--url", at(server), "--origin", "https://app.example")
    assert list(doctor(*arguments)) == [
        "pages from https://app.example may not call",
        "sockets of pages from https://app.example are refused (403)",
    ]

    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    assert doctor(*arguments) == {}


@pytest.mark.django_db(transaction=True)
def test_a_server_that_knows_no_sockets(doctor: Doctor, live_server: Any, settings: Any) -> None:
    """WSGI alone, as when the proxy sends everything to gunicorn."""
    settings.ALLOWED_HOSTS, settings.DEBUG = ["localhost", "clinic.example"], True

    assert list(doctor("reach", "--url", live_server.url)) == ["a socket is answered with 404 instead of 101"]


def test_nobody_at_the_address(doctor: Doctor, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "clinic.example"]

    assert "nobody answers at https://127.0.0.1:1 (ConnectError)" in doctor("reach", "--url", "https://127.0.0.1:1")


async def test_a_certificate_that_phones_refuse(tmp_path: Path) -> None:
    """A TLS server that says nothing: its certificate is all that is asked for."""
    import ssl

    from avicenna.doctor.reach import _of_certificate, urlsplit

    path = write_certificate(tmp_path / "c.pem", days=60)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, path.with_suffix(".key"))
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context) as shown:
        port = shown.sockets[0].getsockname()[1]
        trusted, findings = await asyncio.to_thread(_of_certificate, urlsplit(f"https://127.0.0.1:{port}"))

    assert not trusted
    assert [one.found for one in findings][1] == "phones refuse it: self-signed certificate"


def test_what_redirects_for_ever(doctor: Doctor, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.BEHIND_TLS_PROXY = True, False

    assert "every request is redirected to https, also those that came by it" in doctor("reach")


# --- as a process of its own ----------------------------------------------------------------------


def as_a_process(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "doctor", *arguments]
    environment = os.environ | {"DEBUG": "1", "DATABASE_CONN_MAX_AGE": "0"} | env
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_a_database_that_is_gone_leaves_the_rest_to_be_examined() -> None:
    answer = as_a_process(DATABASE_URL="postgresql://nobody:hidden@127.0.0.1:1/clinic", REDIS_URL="")

    assert answer.returncode == 1
    assert "PostgreSQL does not answer (127.0.0.1, clinic)" in answer.stdout
    assert "not examined: the database does not answer" in answer.stdout
    assert "disk" in answer.stdout
    assert "hidden" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("arguments", [("--url", "clinic.example"), ("--only", "nonsense")])
def test_what_cannot_be_examined_is_said(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("doctor", *arguments)

    assert refused.value.returncode in (1, 2)  # a wrong argument is 2 on the command line


def test_without_settings_it_cannot_run() -> None:
    answer = as_a_process(DEBUG="0", SECRET_KEY="")

    assert answer.returncode == 2
    assert "SECRET_KEY must be set" in answer.stderr


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no clock of its own")
def test_clocks_that_differ(tmp_path: Path) -> None:
    from tests.chaos.servers import Clock

    Clock(tmp_path / "clock").jump(60)
    program = "-c import+sys;from+tests.chaos.levers+import+move_clock;move_clock();from+manage+import+main;main()"
    command = [sys.executable, *(word.replace("+", " ") for word in program.split()), "doctor", "--only", "clock"]
    environment = os.environ | {"DEBUG": "1", "CHAOS_CLOCK": str(tmp_path / "clock"), "REDIS_URL": ""}
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    assert "clock          that of the database is 60.0 s behind this machine's" in answer.stdout
