"""Web push: a device that is not looking is told that there is something new, and never what."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone
from py_vapid import Vapid02

from accounts.actions import sign_out
from accounts.models import PushSubscription, Session
from accounts.push import public_key
from diagnoses.actions import change_recommendation, recommend
from feedback.actions import submit
from realtime.models import News, Receipt
from realtime.news import push_news


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Device:
    """A browser's side of a subscription: it can open what was sealed for it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._key, self._auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)

    @property
    def subscription(self) -> dict[str, Any]:
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "keys": {"p256dh": base64url(point), "auth": base64url(self._auth)}}

    def open(self, sealed: bytes) -> dict[str, str]:
        return dict(json.loads(http_ece.decrypt(sealed, private_key=self._key, auth_secret=self._auth)))


class PushService(ThreadingHTTPServer):
    """Takes what is sent to any path, and answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.answer = 201

    class Handler(BaseHTTPRequestHandler):
        server: PushService

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.taken.append((self.path, headers, body))
            self.send_response(self.server.answer)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass


@pytest.fixture
def service(settings: Any, capsys: Any) -> Iterator[PushService]:
    call_command("new_push_key")
    settings.VAPID_PRIVATE_KEY = capsys.readouterr().out.strip()
    settings.VAPID_SUBJECT = "mailto:clinic@example.org"
    with PushService() as server:
        settings.PUSH_SERVICES = [server.origin]
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def device(service: PushService, api: Any, alice: Any) -> Device:
    """Alice's, and it wants to be told."""
    found = Device(f"{service.origin}/alice")
    assert api(alice).put("/api/me/push", found.subscription).status_code == 204
    return found


def later(minutes: float = 1) -> None:
    by = timedelta(minutes=minutes)
    News.objects.update(since=F("since") - by)
    PushSubscription.objects.exclude(pushed_at=None).update(pushed_at=F("pushed_at") - by)


def test_the_patient_is_told_that_there_is_something_new(
    service: PushService, device: Device, alice: Any, bob: Any, diagnosis: Any, mint: Any
) -> None:
    alice.language = "fa"
    alice.save()
    recommend(actor=bob, diagnosis=diagnosis, remedy=mint)
    later()

    assert [push_news(), push_news()] == [1, 0]

    [(path, headers, sealed)] = service.taken
    assert path == "/alice"
    assert device.open(sealed) == {"title": "Avicenna", "body": "خبر تازه‌ای برای شما هست."}
    assert Vapid02.verify(headers["authorization"])
    assert (headers["topic"], headers["ttl"]) == ("news", "86400")


def test_who_is_looking_is_not_told(service: PushService, device: Device, bob: Any, diagnosis: Any, mint: Any) -> None:
    recommend(actor=bob, diagnosis=diagnosis, remedy=mint)
    assert push_news() == 0  # there is time to see it first
    diagnosis.refresh_from_db()
    Receipt.objects.create(
        session=PushSubscription.objects.get().session,
        diagnosis=diagnosis,
        seen_seq=diagnosis.head,
        seen_at=timezone.now(),
    )
    later()

    assert push_news() == 0
    assert not News.objects.exists()


def test_what_one_does_oneself_is_no_news(recommendation: Any, device: Device, alice: Any) -> None:
    submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=5)

    assert not News.objects.exists()


def test_the_care_team_is_told_of_a_severe_side_effect(
    service: PushService, api: Any, alice: Any, bob: Any, charlie: Any, recommendation: Any, nausea: Any
) -> None:
    devices = {user: Device(f"{service.origin}/{user.pk}") for user in (bob, charlie)}
    for user, device in devices.items():
        api(user).put("/api/me/push", device.subscription)
    said = {"rating": 1, "symptom_improvement": 1, "side_effects": {nausea: 5}}
    submit(actor=alice, recommendation_id=recommendation.pk, **said)
    later()

    assert push_news() == 1
    assert service.taken[0][0] == f"/{bob.pk}"


def test_a_device_is_not_told_again_and_again(
    service: PushService, device: Device, bob: Any, recommendation: Any
) -> None:
    for dose in ("one", "two", "three"):
        change_recommendation(actor=bob, recommendation=recommendation, changes={"dosage": dose})
        later()
        push_news()
    assert len(service.taken) == 1

    later(minutes=15)

    assert push_news() == 1  # of what came after it was told
    assert not News.objects.exists()


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten(
    service: PushService, device: Device, bob: Any, diagnosis: Any, mint: Any, status: int
) -> None:
    service.answer = status
    recommend(actor=bob, diagnosis=diagnosis, remedy=mint)
    later()

    push_news()
    push_news()

    assert not PushSubscription.objects.exists()
    assert not News.objects.exists()


@pytest.mark.parametrize("status", [302, 413, 429, 503])
def test_a_service_in_trouble_is_tried_again_later(
    service: PushService, device: Device, bob: Any, diagnosis: Any, mint: Any, status: int, caplog: Any
) -> None:
    service.answer = status
    recommend(actor=bob, diagnosis=diagnosis, remedy=mint)
    later()
    assert [push_news(), push_news()] == [0, 0]
    assert len(service.taken) == 1  # nor is a redirect followed
    assert service.origin not in caplog.text

    service.answer = 201
    later(minutes=16)

    assert push_news() == 1


def test_a_day_later_it_is_no_news(service: PushService, device: Device, bob: Any, diagnosis: Any, mint: Any) -> None:
    recommend(actor=bob, diagnosis=diagnosis, remedy=mint)
    later(minutes=25 * 60)

    assert push_news() == 0
    assert not News.objects.exists()


def test_signing_out_ends_it(device: Device, bob: Any, diagnosis: Any, mint: Any) -> None:
    sign_out(session=Session.objects.get(push__isnull=False))
    recommend(actor=bob, diagnosis=diagnosis, remedy=mint)

    assert not PushSubscription.objects.exists()
    assert not News.objects.exists()


def test_one_browser_belongs_to_who_signed_in_on_it_last(device: Device, api: Any, charlie: Any) -> None:
    api(charlie).put("/api/me/push", device.subscription)

    assert PushSubscription.objects.get().session.user == charlie


def test_a_device_says_no_more(device: Device, api: Any, alice: Any) -> None:
    session = PushSubscription.objects.get().session
    client = api(alice)
    assert client.get("/api/me/push").json() == {"public_key": public_key(), "is_subscribed": False}
    client.put("/api/me/push", device.subscription)
    assert client.get("/api/me/push").json()["is_subscribed"]

    assert client.delete("/api/me/push").status_code == 204

    assert not PushSubscription.objects.filter(session__user=session.user).exists()


def test_a_clinic_without_a_key_says_so(api: Any, alice: Any) -> None:
    assert api(alice).get("/api/me/push").json() == {"public_key": None, "is_subscribed": False}
    assert push_news() == 0


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com.example/x",
        "https://fcm.googleapis.com@10.0.0.1/x",
        "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
def test_the_server_writes_to_push_services_only(api: Any, alice: Any, endpoint: str) -> None:
    answer = api(alice).put("/api/me/push", Device(endpoint).subscription)

    assert answer.status_code == 400
    assert "endpoint" in answer.json()["error"]["fields"]
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    "endpoint", ["https://fcm.googleapis.com/fcm/send/x", "https://wns2-db5p.notify.windows.com/w"]
)
def test_the_services_of_the_browsers_are_known(api: Any, alice: Any, endpoint: str) -> None:
    assert api(alice).put("/api/me/push", Device(endpoint).subscription).status_code == 204


@pytest.mark.parametrize("name", ["p256dh", "auth"])
@pytest.mark.parametrize("value", ["", "short", "!" * 22, "ب" * 22, "A" * 87, None])
def test_keys_are_keys(api: Any, alice: Any, name: str, value: Any) -> None:
    said = Device("https://fcm.googleapis.com/x").subscription
    said["keys"][name] = value

    assert api(alice).put("/api/me/push", said).status_code == 400
