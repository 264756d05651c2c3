"""gunicorn for REST and admin; the number of workers is WEB_CONCURRENCY, the address comes from who starts it."""

from __future__ import annotations

import os
from typing import Any

from avicenna import metric_files
from avicenna.logging import logging_config

bind = os.environ.get("GUNICORN_BIND", "127.0.0.1:8000")
backlog = 2048
worker_class = "sync"
worker_tmp_dir = "/dev/shm"  # noqa: S108 (a heartbeat that must not wait for a disk)
timeout = 60
graceful_timeout = 30
# Not `max_requests`: each worker that ends leaves a file of its counters, which every scrape reads.
control_socket_disable = True
# nginx and the clinic itself log each request.
disable_redirect_access_to_syslog = True
logconfig_dict = logging_config(level=20, file="", sql_echo=False)
logconfig_dict["loggers"] |= {
    "gunicorn.error": {"handlers": ["lines"], "level": "INFO", "propagate": False},
    "gunicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
}


def on_starting(server: Any) -> None:
    metric_files.begin()


def child_exit(server: Any, worker: Any) -> None:
    metric_files.forget(worker.pid)
