"""The server writes to push services and to nothing inside its own network, whatever a name resolves to."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from accounts.push import is_push_service
from accounts.push_sending import NotSent, public_address, send

FCM = "https://fcm.googleapis.com/fcm/send/x"


@pytest.fixture
def resolves_to(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What names resolve to, one answer after the other; the last stays."""

    def resolve(*answers: list[str]) -> None:
        waiting = list(answers)

        def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            if host[0].isdigit():
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
            found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return resolve


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1",
    "224.0.0.1", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
])  # fmt: skip
def test_an_address_inside_is_refused_also_beside_one_outside(resolves_to: Any, address: str) -> None:
    resolves_to(["142.250.0.1", address])

    with pytest.raises(NotSent):
        public_address("fcm.googleapis.com", 443)


def test_a_name_that_moves_inside_after_it_was_looked_at_is_not_followed(
    resolves_to: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, capsys: Any, api: Any, alice: Any
) -> None:
    from django.core.management import call_command

    from accounts.models import PushSubscription
    from tests.realtime.test_news import Device

    call_command("new_push_key")
    settings.VAPID_PRIVATE_KEY, settings.VAPID_SUBJECT = capsys.readouterr().out.strip(), "mailto:c@example.org"
    assert api(alice).put("/api/me/push", Device(FCM).subscription).status_code == 204
    tried: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    resolves_to(["142.250.0.1"], ["127.0.0.1"])

    with pytest.raises(NotSent):
        send(PushSubscription.objects.get())

    assert tried == [("142.250.0.1", 443)]
    with pytest.raises(NotSent, match="private network"):
        send(PushSubscription.objects.get())
    assert len(tried) == 1


@pytest.mark.parametrize("address", [
    "http://fcm.googleapis.com/x", "https://fcm.googleapis.com:8443/x", "https://fcm.googleapis.com.evil.example/x",
    "https://evilfcm.googleapis.com@127.0.0.1/x", "https://user@fcm.googleapis.com/x", "https://127.0.0.1/x", "file:///etc",
])  # fmt: skip
def test_only_a_push_service_is_written_to(address: str) -> None:
    assert is_push_service(FCM)
    assert not is_push_service(address)
