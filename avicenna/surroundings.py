"""What a server depends on and does not own, looked at when Prometheus asks: other servers, disk, certificate."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from avicenna.health import examine

logger = logging.getLogger(__name__)


class Surroundings(Collector):
    """Not asked when it is registered, only when Prometheus asks."""

    def describe(self) -> list[Metric]:
        return []


class Parts(Surroundings):
    """The parts of `/health/ready`, as this process finds them."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("health_part_up", "1 while the part answers", labels=["part"])
        took = GaugeMetricFamily("health_part_seconds", "How long it took to find out", labels=["part"])
        _, parts = examine()
        for name, found in parts.items():
            up.add_metric([name], found["state"] == "ok")
            took.add_metric([name], found["ms"] / 1000)
        yield from (up, took)


class Disks(Surroundings):
    """Where WATCHED_FOLDERS lie."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        free = GaugeMetricFamily("disk_free_bytes", "Free for whoever is not root", labels=["folder"])
        size = GaugeMetricFamily("disk_size_bytes", "Free and used", labels=["folder"])
        for folder in settings.WATCHED_FOLDERS:
            try:
                usage = shutil.disk_usage(folder)
            except OSError:
                logger.exception("the folder %s is not there", folder)
                continue
            free.add_metric([str(folder)], usage.free)
            size.add_metric([str(folder)], usage.total)
        yield from (free, size)


class Certificates(Surroundings):
    """The files of WATCHED_CERTIFICATES. One that cannot be read counts as expired in 1970: somebody must look."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        expires = GaugeMetricFamily("certificate_expires_timestamp_seconds", "When it ends", labels=["file"])
        for file in settings.WATCHED_CERTIFICATES:
            expires.add_metric([file], _end_of(file))
        yield expires


def _end_of(file: str) -> float:
    try:
        return x509.load_pem_x509_certificate(Path(file).read_bytes()).not_valid_after_utc.timestamp()
    except (OSError, ValueError):
        logger.exception("the certificate %s cannot be read", file)
        return 0.0


class Pool(Surroundings):
    """The connections that this process keeps to PostgreSQL, where it has a pool."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        pool = getattr(connection, "pool", None)
        if pool is None:
            return
        found = pool.get_stats()
        size, idle = found.get("pool_size", 0), found.get("pool_available", 0)
        connections = GaugeMetricFamily("database_pool_connections", "Open connections", labels=["state"])
        connections.add_metric(["idle"], idle)
        connections.add_metric(["used"], size - idle)
        yield connections
        yield GaugeMetricFamily("database_pool_limit", "Most it may open", value=found.get("pool_max", 0))
        yield GaugeMetricFamily(
            "database_pool_waiting", "Who waits for a connection", value=found.get("requests_waiting", 0)
        )


SURROUNDINGS = (Parts(), Disks(), Certificates(), Pool())
for collector in SURROUNDINGS:
    REGISTRY.register(collector)
