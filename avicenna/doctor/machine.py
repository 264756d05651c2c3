"""Redis, clocks, the disk, backups, the certificate, the worker."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from cryptography import x509
from django.conf import settings
from django.db import connection
from django.utils import timezone

from avicenna.backup.folder import backups
from avicenna.doctor.findings import Finding, Findings, error, fine, warning
from avicenna.models import SILENT_AFTER, WORKER, SignOfLife

TOLERATED_CLOCK_SECONDS = 2.0
DISK_FREE_PERCENT = 10.0
OLDEST_BACKUP = timedelta(hours=26)
CERTIFICATE_ENDS_WITHIN = timedelta(days=14)
SECONDS = 3.0


def examine_redis() -> Findings:
    if not settings.REDIS_URL:
        yield fine("redis", "none is configured: one process serves everything from memory")
        return
    client = redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    try:
        started = time.perf_counter()
        client.ping()
        took = (time.perf_counter() - started) * 1000
        version = client.info("server")["redis_version"]
    except (redis.RedisError, OSError) as problem:
        yield error(
            "redis",
            f"it does not answer ({type(problem).__name__})",
            "Is it running, is REDIS_URL right? Until then events arrive late and limits do not count.",
        )
        return
    finally:
        client.close()
    yield fine("redis", f"Redis {version} answers in {took:.1f} ms")


def examine_clocks() -> Findings:
    """Tokens, tickets and the days of the figures hang on clocks that agree."""
    differences = dict(_differences())
    for whose, seconds in differences.items():
        if abs(seconds) > TOLERATED_CLOCK_SECONDS:
            yield error(
                "clock",
                f"that of {whose} is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} this machine's",
                "Let one service set both (chrony, systemd-timesyncd): `timedatectl` says whether it does.",
            )
    if all(abs(seconds) <= TOLERATED_CLOCK_SECONDS for seconds in differences.values()):
        yield fine("clock", f"agrees with {' and '.join(differences)}" if differences else "there is one only")


def _differences() -> Iterator[tuple[str, float]]:
    """Seconds that others are ahead."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            asked_at = time.time()
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            yield "the database", cursor.fetchone()[0] - (asked_at + time.time()) / 2
    if settings.REDIS_URL:
        client = redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
        try:
            asked_at = time.time()
            seconds, micros = client.time()
            yield "Redis", seconds + micros / 1e6 - (asked_at + time.time()) / 2
        except (redis.RedisError, OSError):
            return  # said by `examine_redis`
        finally:
            client.close()


def examine_disks(percent: float) -> Findings:
    for what, path in _places():
        usage = shutil.disk_usage(path)
        free = 100 * usage.free / usage.total
        said = f"{free:.0f} % free ({usage.free / 1e9:.1f} GB) where {what} lie"
        if free < percent:
            yield error("disk", said, "Make room, or move them: a full disk stops every write.")
        else:
            yield fine("disk", said)


def _places() -> Iterator[tuple[str, Path]]:
    """What grows, with the nearest folder that is there; each file system once."""
    grows = {"backups": Path(settings.BACKUP_FOLDER), "logs": Path(settings.LOG_FILE or settings.BASE_DIR)}
    if connection.vendor == "sqlite":
        grows["the data"] = Path(connection.settings_dict["NAME"])
    devices: dict[int, tuple[str, Path]] = {}
    for what, path in grows.items():
        there = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
        others = devices.get(there.stat().st_dev)
        devices[there.stat().st_dev] = (f"{others[0]} and {what}" if others else what, there)
    yield from devices.values()


def examine_backups() -> Findings:
    if not settings.BACKUP_KEY:
        yield warning("backup", "BACKUP_KEY is not set", "`manage.py new_backup_key` prints one; docs/backup.md.")
    found = backups(Path(settings.BACKUP_FOLDER))
    if not found:
        yield warning("backup", f"there is none in {settings.BACKUP_FOLDER}", "manage.py backup, every night.")
        return
    newest = found[-1]
    described = newest.description()
    if described is None or described.bytes != newest.path.stat().st_size:
        yield error("backup", f"{newest.path.name} is not as it was written", f"manage.py verify_backup {newest.path}")
    age = timezone.now() - newest.made_at
    said = f"the newest of {len(found)} is {_spoken(age)} old"
    if age > OLDEST_BACKUP:
        yield error("backup", said, "Why did the nightly one not run? manage.py backup makes one now.")
    else:
        yield fine("backup", said)


def examine_certificate() -> Findings:
    if not settings.TLS_CERTIFICATE_PATH:
        return
    try:
        read = Path(settings.TLS_CERTIFICATE_PATH).read_bytes()
        ends_at = x509.load_pem_x509_certificate(read).not_valid_after_utc
    except (OSError, ValueError) as problem:
        yield error(
            "certificate",
            f"{settings.TLS_CERTIFICATE_PATH} cannot be read ({type(problem).__name__})",
            "TLS_CERTIFICATE_PATH names the certificate in PEM that the proxy shows.",
        )
        return
    yield of_certificate(ends_at)


def of_certificate(ends_at: datetime) -> Finding:
    left = ends_at - datetime.now(UTC)
    if left < timedelta():
        return error("certificate", f"it ended {_spoken(-left)} ago", "Renew it, then nginx -s reload")
    said = f"it holds for {_spoken(left)} more"
    if left < CERTIFICATE_ENDS_WITHIN:
        return warning("certificate", said, "Why was it not renewed by itself? `certbot renew --dry-run` says so.")
    return fine("certificate", said)


def examine_worker() -> Findings:
    sign = SignOfLife.objects.filter(name=WORKER).first()
    silent = None if sign is None else timezone.now() - sign.seen_at
    if silent is not None and silent < SILENT_AFTER:
        yield fine("worker", f"was at work {silent.total_seconds():.0f} s ago")
        return
    since = "has never been at work" if silent is None else f"has been silent for {_spoken(silent)}"
    yield error(
        "worker",
        f"it {since}: other diagnoses are not told, rankings not renewed, nobody gets a push message",
        "manage.py worker, kept running by the process manager (`serve` runs it inside).",
    )


def _spoken(duration: timedelta) -> str:
    hours = duration.total_seconds() / 3600
    if hours < 1:
        return f"{hours * 60:.0f} minutes"
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
