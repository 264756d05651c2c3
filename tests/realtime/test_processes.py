"""Several real processes: gunicorn writes, two uvicorns hold the sockets, Redis and PostgreSQL are between them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis
from websockets.asyncio.client import connect

from avicenna.jobs import JOBS
from benchmarks.servers import free_port
from tests.chaos.servers import METRICS_TOKEN, Stack, missing, running_databases
from tests.realtime.conftest import Client
from tests.run import ROOT

pytestmark = pytest.mark.skipif(
    not os.environ.get("TEST_REDIS_URL"), reason="real processes run once, beside the tests on PostgreSQL and Redis"
)
SECRET = "canary-7f3a"


class Clinic(Stack):
    """Only hints travel fast here: the periodic check is a minute away. Logs say all they ever say.

    DEBUG, because no static files are collected, which the admin needs otherwise.
    """

    told: dict[str, Any]

    def environment(self) -> dict[str, str]:
        """All share one folder of metrics, as the processes of one program do."""
        figures = self.folder / "metrics"
        figures.mkdir(exist_ok=True)
        ours = {"REALTIME_HEADS_CHECK_SECONDS": "60", "LOG_LEVEL": "DEBUG", "DEBUG": "1"}
        return super().environment() | ours | {"PROMETHEUS_MULTIPROC_DIR": str(figures)}

    @property
    def diagnosis(self) -> dict[str, Any]:
        return self.told["diagnoses"][0]

    def http(self, token: str = "") -> httpx.Client:
        headers = {"X-Forwarded-Proto": "https", "Referer": f"https://127.0.0.1:{self.rest.port}/"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.Client(base_url=f"http://127.0.0.1:{self.rest.port}", headers=headers, trust_env=False)

    def shell(self, code: str) -> str:
        """A management command: a process of its own."""
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def sign_in(self, role: str) -> tuple[str, str]:
        """The email (its password is the email) and an access token of somebody new."""
        email = f"{uuid4()}@clinic.example"
        token = self.shell(
            "from accounts import tokens; from accounts.models import Session, User;"
            f"user = User.objects.create_user('{email}', '{email}', role='{role}');"
            "print(tokens.issue(Session.objects.create(user=user))['access'])"
        )
        return email, token

    @asynccontextmanager
    async def watched(self, token: str, since: int) -> AsyncIterator[list[Client]]:
        """Two sockets, one in each process, both live."""
        async with AsyncExitStack() as stack:
            clients = []
            for server in self.sockets:
                address = f"ws://127.0.0.1:{server.port}/ws/diagnoses/{self.diagnosis['id']}/?since={since}"
                opened = connect(address, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None)
                client = Client(await stack.enter_async_context(opened))
                assert (await client.frame())["type"] == "connect"
                await client.send({"type": "ping"})
                assert (await client.frame())["type"] == "pong"
                clients.append(client)
            yield clients

    def head(self) -> int:
        with self.http(self.told["doctor"]) as http:
            head: int = http.get(f"/api/diagnoses/{self.diagnosis['id']}/").json()["head"]
        return head


@pytest.fixture(scope="module")
def clinic() -> Iterator[Clinic]:
    if lacks := missing():
        pytest.skip(f"no {lacks} for this Python and system")
    with running_databases(Clinic) as stack:
        stack.told = json.loads(asyncio.run(stack.start(1)))
        yield stack


async def test_what_gunicorn_writes_reaches_the_sockets_of_every_process(clinic: Clinic) -> None:
    since = clinic.head()
    body = {"recommendation": clinic.diagnosis["recommendation"], "rating": 4, "symptom_improvement": 4}
    async with clinic.watched(clinic.told["doctor"], since) as clients:
        with clinic.http(clinic.diagnosis["patient"]) as http:
            assert http.post("/api/feedback/", json=body).status_code == 201
        seen = [await client.frames(2) for client in clients]

    assert [[frame["seq"] for frame in frames] for frames in seen] == [[since + 1, since + 2]] * 2


async def test_what_a_command_writes_reaches_them_too(clinic: Clinic) -> None:
    since = clinic.head()
    async with clinic.watched(clinic.told["doctor"], since) as clients:
        await asyncio.to_thread(
            clinic.shell,
            "from diagnoses.actions import change_diagnosis; from diagnoses.models import Diagnosis;"
            "change_diagnosis(actor=None, diagnosis=Diagnosis.objects.get(), changes={'severity': 1})",
        )
        seen = [await client.frame() for client in clients]

    assert [(frame["seq"], frame["data"]["severity"]) for frame in seen] == [(since + 1, 1)] * 2


async def test_signing_out_ends_the_sockets_in_every_process(clinic: Clinic) -> None:
    _, token = clinic.sign_in("head")
    async with clinic.watched(token, clinic.head()) as clients:
        with clinic.http(token) as http:
            assert http.post("/api/auth/logout").status_code == 204

        assert [await client.close_code() for client in clients] == [4401, 4401]


async def test_the_admin_takes_a_practitioner_off_the_care_team(clinic: Clinic) -> None:
    staff, _ = clinic.sign_in("head")
    newcomer, token = clinic.sign_in("practitioner")
    patient, doctor = clinic.shell(
        "from accounts.models import User; from diagnoses.models import Patient;"
        f"patient = Patient.objects.get(); patient.care_team.add(User.objects.get(email='{newcomer}'));"
        "print(patient.pk, User.objects.get(email='doctor@chaos.example').pk)"
    ).split()
    async with clinic.watched(token, clinic.head()) as clients:
        with clinic.http() as http:
            sign_in_to_the_admin(http, staff)
            address = f"/admin/diagnoses/patient/{patient}/change/"
            fields = {"csrfmiddlewaretoken": csrf_token(http.get(address)), "care_team": doctor}
            fields |= {"contraindications-TOTAL_FORMS": "0", "contraindications-INITIAL_FORMS": "0"}
            done = http.post(address, data=fields)
            assert done.status_code == 302, done.text

        assert [await client.close_code() for client in clients] == [4403, 4403]


def sign_in_to_the_admin(http: httpx.Client, email: str) -> None:
    fields = {"username": email, "password": email, "csrfmiddlewaretoken": csrf_token(http.get("/admin/login/"))}
    done = http.post("/admin/login/", data=fields)
    assert done.status_code == 302, done.text


def csrf_token(page: httpx.Response) -> str:
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[:1]
    return str(token)


def test_writing_opens_no_redis_connection_per_request(clinic: Clinic) -> None:
    server = redis.Redis.from_url(clinic.redis.url)
    with clinic.http(clinic.diagnosis["patient"]) as http:

        def report() -> None:
            body = {"recommendation": clinic.diagnosis["recommendation"], "rating": 4, "symptom_improvement": 4}
            assert http.post("/api/feedback/", json=body).status_code == 201

        for _ in range(10):
            report()
        before = server.info()["total_connections_received"]
        for _ in range(60):
            report()

    assert server.info()["total_connections_received"] - before < 10


async def connections(clinic: Clinic, wanted: float | None) -> list[float | None]:
    """What each server says of the sockets on the diagnosis, as soon as all say `wanted`; None without a label."""
    name = f'websocket_connections_active{{diagnosis_id="{clinic.diagnosis["id"]}"}}'
    async with asyncio.timeout(90):
        while True:
            said = [(await server.metrics()).get(name) for server in clinic.servers]
            if set(said) == {wanted}:
                return said
            await asyncio.sleep(0.2)


async def test_any_process_tells_the_sockets_of_all_and_forgets_a_diagnosis_with_its_last(clinic: Clinic) -> None:
    async with clinic.watched(clinic.told["doctor"], clinic.head()):
        assert await connections(clinic, 2)

    assert await connections(clinic, None)


async def test_what_a_killed_process_had_is_forgotten(clinic: Clinic) -> None:
    gone = clinic.sockets[1]
    async with clinic.watched(clinic.told["doctor"], clinic.head()):
        assert await connections(clinic, 2)
        gone.kill()
        gone.start()
        await gone.ready()

        assert await connections(clinic, 1)


async def test_any_process_tells_what_all_have_counted(clinic: Clinic) -> None:
    name = 'feedback_submissions_total{rating="2"}'
    body = {"recommendation": clinic.diagnosis["recommendation"], "rating": 2, "symptom_improvement": 2}
    before = (await clinic.rest.metrics())[name]
    for _ in range(6):  # one connection each: either worker takes it
        with clinic.http(clinic.diagnosis["patient"]) as http:
            assert http.post("/api/feedback/", json=body).status_code == 201

    assert {(await server.metrics())[name] - before for server in clinic.servers} == {6}


def test_the_worker_tells_what_it_did_when(clinic: Clinic) -> None:
    port = free_port()
    env = clinic.environment() | {"DEBUG": "0"}
    command = [sys.executable, "manage.py", "worker", "--metrics-port", str(port)]
    address, token = f"http://127.0.0.1:{port}/metrics", {"Authorization": f"Bearer {METRICS_TOKEN}"}
    with (
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE) as worker,
        httpx.Client(trust_env=False, timeout=30) as http,
    ):
        try:
            for _ in range(300):
                with suppress(httpx.TransportError):  # it is not there yet
                    text = http.get(address, headers=token).text
                    done = set(re.findall(r'^work_done_timestamp_seconds{work="(\w+)"} [1-9]', text, re.M))
                    if len(done) == len(JOBS):
                        break
                time.sleep(0.2)
            refused = http.get(address).status_code
        finally:
            worker.terminate()

    assert done == {job.name for job in JOBS}
    assert refused == 404


async def test_no_health_data_and_no_secret_passes_redis_or_the_logs(clinic: Clinic) -> None:
    email = f"{SECRET}@clinic.example"
    traffic = Monitor(clinic.redis.url)
    listening = threading.Thread(target=traffic.listen)
    listening.start()
    with clinic.http() as http, clinic.http(clinic.told["doctor"]) as doctor:
        secrets = register_and_report(http, doctor, email)
        async with clinic.watched(clinic.told["doctor"], clinic.head()) as clients:
            doctor.patch(f"/api/diagnoses/{clinic.diagnosis['id']}/", json={"severity": 3, "notes": SECRET})
            assert all([await client.frame() for client in clients])
            await clients[0].send({"type": "refresh", "token": f"{SECRET}.{SECRET}.{SECRET}"})
    traffic.stop()
    listening.join(timeout=5)
    logs = {server.name: server.log.read_text() for server in clinic.servers}

    assert "PUBLISH" in traffic.text
    assert "request" in logs["rest"]
    for secret in (SECRET, *secrets):
        assert secret not in traffic.text + traffic.keys()
        assert [name for name, log in logs.items() if secret in log] == []


def register_and_report(http: httpx.Client, doctor: httpx.Client, email: str) -> list[str]:
    """A patient's whole story with the canary in every text; returns the tokens and the ticket that were handed out."""
    account = {"email": email, "password": f"{SECRET}-long-enough", "full_name": SECRET}
    assert http.post("/api/auth/register", json=account).status_code == 201
    pair = http.post("/api/auth/token", json={"email": email, "password": account["password"]}).json()
    texts = {"full_name": SECRET, "medical_history": SECRET, "current_medications": SECRET}
    patient = doctor.post("/api/patients/", json=texts | {"sex": "female"}).json()["id"]
    finding = {"patient": patient, "condition": "headache", "severity": 2, "symptoms": [SECRET], "notes": SECRET}
    answer = doctor.post("/api/diagnoses/", json=finding)
    assert answer.status_code == 201, answer.text
    diagnosis = answer.json()["id"]
    given = {"remedy": "mint", "dosage": SECRET, "frequency": SECRET, "instructions": SECRET}
    recommendation = doctor.post(f"/api/diagnoses/{diagnosis}/recommendations/", json=given).json()["id"]
    ticket = doctor.post("/api/realtime/tickets", json={"diagnosis": diagnosis}).json()["ticket"]
    stopped = doctor.post(f"/api/recommendations/{recommendation}/stop/", json={"reason": SECRET})
    assert stopped.status_code == 200, stopped.text
    assert http.get(f"/api/diagnoses/?search={SECRET}").status_code == 401
    return [pair["access"], pair["refresh"], ticket]


class Monitor:
    """Everything that is said to a Redis server, and everything it holds."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url)
        self.text = ""

    def listen(self) -> None:
        with self._redis.monitor() as monitor:
            while (command := monitor.next_command()["command"]) != "ECHO stop":
                self.text += f"{command}\n"

    def stop(self) -> None:
        self._redis.echo("stop")

    def keys(self) -> str:
        return " ".join(f"{key} {self._redis.dump(key)!r}" for key in self._redis.scan_iter())
