"""What `/metrics` tells of disk, certificate and the servers behind."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone


@pytest.fixture
def told(client: Any, settings: Any, db: None) -> Any:
    """Series with its labels → value, as Prometheus is told."""
    settings.METRICS_TOKEN = "let-prometheus-in"

    def ask() -> dict[str, float]:
        text = client.get("/metrics", headers={"Authorization": "Bearer let-prometheus-in"}).content.decode()
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {series: float(value) for series, _, value in lines}

    return ask


def certificate(end: datetime.datetime) -> bytes:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(end - datetime.timedelta(days=90)).not_valid_after(end)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_how_much_of_the_disk_is_free(told: Any, settings: Any, tmp_path: Path) -> None:
    settings.WATCHED_FOLDERS = [str(tmp_path), str(tmp_path / "missing")]

    found = told()

    assert 0 < found[f'disk_free_bytes{{folder="{tmp_path}"}}'] < found[f'disk_size_bytes{{folder="{tmp_path}"}}']
    assert f'disk_free_bytes{{folder="{tmp_path}/missing"}}' not in found


def test_when_the_certificate_ends(told: Any, settings: Any, tmp_path: Path) -> None:
    end = (timezone.now() + datetime.timedelta(days=10)).replace(microsecond=0)
    file = tmp_path / "fullchain.pem"
    file.write_bytes(certificate(end) + certificate(end + datetime.timedelta(days=900)))
    settings.WATCHED_CERTIFICATES = [str(file)]

    assert told()[f'certificate_expires_timestamp_seconds{{file="{file}"}}'] == end.timestamp()


def test_a_certificate_that_cannot_be_read_raises_the_alarm(told: Any, settings: Any, tmp_path: Path) -> None:
    settings.WATCHED_CERTIFICATES = [str(tmp_path / "missing.pem")]

    assert told()[f'certificate_expires_timestamp_seconds{{file="{tmp_path}/missing.pem"}}'] == 0


def test_which_part_is_away(told: Any, redis_is_away: Any) -> None:
    redis_is_away()

    found = told()

    assert (found['health_part_up{part="database"}'], found['health_part_up{part="cache"}']) == (1, 0)


def test_every_series_of_a_known_label_is_there_from_the_start(told: Any) -> None:
    """Else the first of its kind would be no rise that an alert could see."""
    found = told()

    assert all(f'feedback_submissions_total{{rating="{rating}"}}' in found for rating in range(1, 6))
    assert {'realtime_replays_total{source="memory"}', "realtime_slow_consumers_total"} <= found.keys()
