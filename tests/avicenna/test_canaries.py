"""Words that must stay where they are said: planted in every text and secret, then looked for where they must not be.

Redis and its traffic: tests/realtime/test_processes.py. Every log of a whole stack: tests/stack/test_logs.py. What a
push service gets: tests/realtime/test_news.py. What a browser keeps: tests/e2e/test_leaving_the_device.py.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection

from accounts import second_factor
from accounts.models import Session, User
from tests.avicenna.backup.conftest import fitting_tools
from tests.avicenna.test_permissions import POINT, TABLE, address

pytestmark = pytest.mark.django_db(transaction=True)

SAID = [
    "name", "history", "medications", "symptom", "notes", "stopped because", "must not because", "comment",
    "changed comment",
]  # fmt: skip


class Story:
    """Alice's, through HTTP: where something was said → the word. `dosage` lies open in the database, by design."""

    def __init__(self, api: Any, alice: User, bob: User, patient: Any, nausea: Any) -> None:
        self.words = {where: f"canary{uuid4().hex}" for where in [*SAID, "dosage", "push", "password"]}
        self.anybody, self.doctor, self.patient = api(), api(bob), api(alice)
        self.ids: dict[str, Any] = {"patients": patient.pk, "profile": patient.pk}
        self._treat()
        self._report(nausea)
        self._sign_in(alice)

    def _post(self, client: Any, path: str, **body: Any) -> Any:
        answer = client.post(path, body)
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    def _treat(self) -> None:
        said, root = self.words, f"/api/patients/{self.ids['patients']}/"
        texts = {"full_name": said["name"], "medical_history": said["history"]}
        assert self.doctor.patch(root, texts | {"current_medications": said["medications"]}).status_code == 200
        finding = {"condition": "headache", "severity": 3, "symptoms": [said["symptom"]], "notes": said["notes"]}
        diagnosis = self._post(self.doctor, "/api/diagnoses/", patient=str(self.ids["patients"]), **finding)["id"]
        given = f"/api/diagnoses/{diagnosis}/recommendations/"
        ended = self._post(self.doctor, given, remedy="sweet-violet", dosage=said["dosage"])["id"]
        self._post(self.doctor, f"/api/recommendations/{ended}/stop/", reason=said["stopped because"])
        against = {"remedy": "sweet-violet", "cause": "allergy", "reason": said["must not because"]}
        self.ids["contraindications"] = self._post(self.doctor, f"{root}contraindications/", **against)["id"]
        self.ids |= {"diagnoses": diagnosis, "recommendations": self._post(self.doctor, given, remedy="mint")["id"]}

    def _report(self, nausea: Any) -> None:
        report = {"rating": 2, "symptom_improvement": 2, "side_effects": [{"effect": nausea.slug, "severity": 5}]}
        of, comment = self.ids["recommendations"], self.words["comment"]
        sent = self._post(self.patient, "/api/feedback/", recommendation=of, comment=comment, **report)
        changed = self.patient.patch(f"/api/feedback/{sent['id']}/", {"comment": self.words["changed comment"]})
        assert changed.status_code == 200
        [flag] = self.doctor.get("/api/severe-side-effects/").json()["results"]
        self.ids |= {"feedback": sent["id"], "severe-side-effects": flag["id"]}

    def _sign_in(self, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(password=make_password(self.words["password"]))
        pair = self._post(self.anybody, "/api/auth/token", email=alice.email, password=self.words["password"])
        newer = self._post(self.anybody, "/api/auth/token/refresh", refresh=pair["refresh"])
        ticket = self._post(self.patient, "/api/realtime/tickets", diagnosis=self.ids["diagnoses"])["ticket"]
        device = {"endpoint": f"https://fcm.googleapis.com/{self.words['push']}"}
        put = self.patient.put("/api/me/push", device | {"keys": {"p256dh": POINT, "auth": "A" * 22}})
        assert put.status_code == 204
        factor = second_factor.begin(alice)
        self.words |= {"secret": factor.secret, "ticket": ticket}
        for name, token in [("access", pair["access"]), ("used", pair["refresh"]), ("refresh", newer["refresh"])]:
            self.words |= {name: token, f"signature of {name}": token.rsplit(".", 1)[1]}
        self.ids["sessions"] = Session.objects.filter(user=alice).latest("created_at").pk


@pytest.fixture
def story(api: Any, alice: User, bob: User, patient: Any, headache: Any, mint: Any, violet: Any, nausea: Any) -> Story:
    return Story(api, alice, bob, patient, nausea)


def found(words: dict[str, str], text: bytes) -> set[str]:
    """Which of them stand in it: as they are, in hexadecimal, or in base64 at any place of a group."""

    def spellings(word: bytes) -> list[bytes]:
        within = [base64.b64encode(b"x" * shift + word)[4 * bool(shift) : -4] for shift in range(3)]
        return [word, word.hex().encode(), word.hex().upper().encode(), *within]

    return {where for where, word in words.items() if any(one in text for one in spellings(word.encode()))}


def dump() -> bytes:
    """The whole database, as somebody takes it away."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return b"".join(path.read_bytes() for path in Path(str(database["NAME"])).parent.glob("test*.sqlite3*"))
    tool = Path(fitting_tools()) / "pg_dump"
    where = connection.get_connection_params()
    access = {f"PG{name.upper()}": str(where[name]) for name in ("host", "port", "user", "password") if where.get(name)}
    command = [str(tool) if tool.is_absolute() else "pg_dump", "--dbname", str(where["dbname"])]
    return subprocess.run(command, env=os.environ | access, check=True, capture_output=True).stdout


def test_a_dump_of_the_database_holds_no_text_and_no_secret(story: Story) -> None:
    assert found(story.words, dump()) == {"dosage"}  # what is not sealed is found, or nothing would be


@pytest.mark.thorough
def test_a_dump_after_signing_in_by_a_second_factor_holds_no_recovery_code(story: Story, alice: User) -> None:
    totp = second_factor._totp(second_factor.begin(alice))
    codes = second_factor.confirm(alice, totp.generate(int(second_factor.time.time())).decode())

    assert found({code: code for code in codes} | {code: code.replace("-", "") for code in codes}, dump()) == set()


def everything_read(client: Any, story: Story) -> bytes:
    """Every route of the API that is read, of Alice's record where it names one; both formats of the export."""
    names = story.ids | {"conditions": "headache", "remedies": "mint", "side-effects": "nausea"}
    asked = {"diagnosis": story.ids["diagnoses"], "target_effectiveness": "0.5", "own": "true", "page_size": "100"}
    routes = {row.split()[1]: asked for row in TABLE if row.startswith("GET /api/") and not row.endswith(".svg")}
    routes["/api/feedback/due"] = {"since": "2026-01-01T00:00:00Z"}
    said = b""
    for route, given in [*routes.items(), ("/api/me/export", {"format": "fhir"})]:
        answer = client.get(address(route, names), given)
        assert answer.status_code < 500
        said += b"".join(answer.streaming_content) if answer.streaming else answer.content
    return said


@pytest.mark.thorough
@pytest.mark.parametrize("reader", [None, "dora", "charlie"])
def test_who_may_not_read_the_record_reads_none_of_it(
    api: Any, story: Story, reader: str | None, request: pytest.FixtureRequest
) -> None:
    client = api(request.getfixturevalue(reader) if reader else None)

    assert found(story.words, everything_read(client, story)) == set()


@pytest.mark.thorough
def test_staff_reads_no_comment_and_nobody_reads_a_secret(api: Any, story: Story, sam: User) -> None:
    read = {who: found(story.words, everything_read(client, story)) for who, client in
            {"staff": api(sam), "practitioner": story.doctor, "patient": story.patient}.items()}  # fmt: skip

    texts = {*SAID, "dosage"} - {"comment"}  # that was changed
    assert read["practitioner"] == read["patient"] == texts
    assert read["staff"] == texts - {"changed comment"}


@pytest.mark.thorough
def test_metrics_name_nobody(story: Story, settings: Any, client: Any, alice: User) -> None:
    settings.METRICS_TOKEN = "let-prometheus-in"
    told = client.get("/metrics", headers={"Authorization": "Bearer let-prometheus-in"}).content

    ours = {name: str(pk) for name, pk in story.ids.items() if name in ("patients", "feedback", "sessions")}
    assert b"feedback_submissions_total" in told
    assert found(story.words | ours | {"email": alice.email}, told) == set()


@pytest.mark.thorough
@pytest.mark.parametrize("accept", ["application/json", "text/html, */*"])
def test_an_error_of_ours_repeats_nothing_of_what_was_sent(story: Story, accept: str, caplog: Any, capsys: Any) -> None:
    word = f"canary{uuid4().hex}"

    def breaks(execute: Any, sql: str, *rest: Any) -> Any:
        if "diagnoses_patient" in sql or '"accounts_user"."email" =' in sql:
            raise RuntimeError("something nobody thought of")
        return execute(sql, *rest)

    client, path = story.doctor, f"/api/patients/{story.ids['patients']}/?q={word}"
    client.raise_request_exception = False
    with caplog.at_level("DEBUG"), connection.execute_wrapper(breaks):
        at_the_api = client.patch(path, {"full_name": word, "medical_history": word}, headers={"Accept": accept})
        form = {"username": word, "password": word}
        elsewhere = client.post("/admin/login/", form, "multipart", headers={"Accept": accept})

    assert (at_the_api.status_code, elsewhere.status_code) == (500, 500)
    said = at_the_api.content + elsewhere.content
    assert not re.search(rb"Traceback|RuntimeError|nobody thought", said)
    logged = caplog.text + capsys.readouterr().err
    assert "something nobody thought of" in logged  # the log says what broke
    assert found({"sent": word}, said + logged.encode()) == set()
