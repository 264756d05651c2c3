"""The settings of the tests: those of the clinic, in the environment that tests need.

The environment is changed here because pytest-django reads the settings before any conftest.py.
"""

from __future__ import annotations

import os

os.environ.setdefault("DEBUG", "1")
if redis := os.environ.get("TEST_REDIS_URL"):
    # Each worker has a Redis database of its own, so that one's limits do not count another's requests.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ["REDIS_URL"] = f"{redis}/{worker}"
# Connections of other threads would keep the test database from being removed.
os.environ["DATABASE_CONN_MAX_AGE"] = "0"
# All tests come from one address.
os.environ["WEBSOCKET_HANDSHAKES_PER_MINUTE"] = "100000"
# Commands that tests start take the clinic's own.
os.environ["DJANGO_SETTINGS_MODULE"] = "avicenna.settings"

from django.contrib.auth.hashers import Argon2PasswordHasher

from avicenna.settings import *  # noqa: F403

# pytest-django turns DEBUG off after this. Without this, each client in a test would look through every static file
# first; with DEBUG as here, and in `make run`, a file is looked for when it is asked for.
WHITENOISE_AUTOREFRESH = True
# The hashes of the clinic, made with little work: tests/accounts/test_password.py asks how much it takes.
PASSWORD_HASHERS = ["tests.settings.QuickArgon2"]


class QuickArgon2(Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 1, 8, 1
