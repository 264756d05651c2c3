"""System checks: each way to deploy Avicenna wrongly has an id here and a test."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from avicenna.backup.keys import backup_keys, shared_with_fields
from avicenna.encryption import encryption_keys


@register(Tags.security)
def encryption_keys_are_usable(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    try:
        encryption_keys()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="`python manage.py new_encryption_key` prints a fresh one.", id="avicenna.E001")]
    return []


@register(Tags.database)
def sqlite_is_recent(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < (3, 35):
        return [Error("SQLite 3.35 or newer is needed (UPDATE … RETURNING).", id="avicenna.E002")]
    return []


@register(Tags.security, deploy=True)
def debugging_keys_stay_home(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if any(key.strip().startswith("debug:") for key in settings.FIELD_ENCRYPTION_KEYS):
        return [Error("FIELD_ENCRYPTION_KEYS holds the key everybody knows.", id="avicenna.E003")]
    return []


@register(Tags.security, deploy=True)
def hosts_are_named(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        return [Error("ALLOWED_HOSTS must name the hosts, not '*'.", id="avicenna.E004")]
    return []


@register(Tags.security, deploy=True)
def tokens_stay_out_of_urls(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if settings.WEBSOCKET_ALLOW_TOKEN_IN_QUERY:
        return [Error("WEBSOCKET_ALLOW_TOKEN_IN_QUERY puts access tokens into proxy logs.", id="avicenna.E005")]
    return []


@register(Tags.security, deploy=True)
def origins_are_tls(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    named = {
        "CORS_ALLOWED_ORIGINS": settings.CORS_ALLOWED_ORIGINS,
        "CSRF_TRUSTED_ORIGINS": settings.CSRF_TRUSTED_ORIGINS,
    }
    return [
        Error(f"{setting}: {origin} is not https.", id="avicenna.E006")
        for setting, origins in named.items()
        for origin in origins
        if not origin.startswith("https://")
    ]


@register(Tags.database, deploy=True)
def production_has_servers(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if connection.vendor == "sqlite":
        found.append(Warning("SQLite serves one process on one machine; use PostgreSQL.", id="avicenna.W001"))
    if not settings.REDIS_URL:
        found.append(Warning("Without REDIS_URL events do not reach sockets of other processes.", id="avicenna.W002"))
    return found


@register(Tags.security, deploy=True)
def statements_are_not_logged(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if settings.SQL_ECHO:
        return [Error("SQL_ECHO writes health data into the log.", id="avicenna.E007")]
    return []


@register(Tags.security, deploy=True)
def rate_limits_are_on(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if not settings.RATELIMIT_ENABLE:
        return [Error("RATELIMIT_ENABLE is off.", id="avicenna.E008")]
    return []


@register(Tags.security)
def push_is_usable(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Wholly set up, or not at all."""
    if not settings.VAPID_PRIVATE_KEY:
        return []
    from accounts.push import public_key  # the models are loaded by now

    try:
        public_key()
    except ValueError as error:
        return [Error(str(error), hint="`python manage.py new_push_key` prints one.", id="avicenna.E009")]
    if not settings.VAPID_SUBJECT.startswith(("mailto:", "https://")):
        return [Error("VAPID_SUBJECT must be mailto:… or https://…", id="avicenna.E010")]
    return []


@register(Tags.security, deploy=True)
def push_services_are_tls(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    plain = [name for name in settings.PUSH_SERVICES if name.startswith("http://")]
    return [Error(f"PUSH_SERVICES: {', '.join(plain)} is not https.", id="avicenna.E011")] if plain else []


@register(Tags.security, deploy=True)
def proxies_are_named(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    everybody = [str(network) for network in settings.TRUSTED_PROXIES if network.prefixlen == 0]
    if everybody:
        said = f"TRUSTED_PROXIES: {', '.join(everybody)} lets everybody say whose request it is."
        return [Error(said, id="avicenna.E012")]
    return []


# Without one of them a promise of docs/security.md does not hold; the order is that of settings.py.
PROTECTING = [
    "avicenna.proxies.ClientAddressMiddleware",
    "avicenna.headers.HeadersMiddleware",
    "avicenna.bodies.BodyLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "accounts.second_step.SecondStepMiddleware",
    "axes.middleware.AxesMiddleware",
]


@register(Tags.security)
def what_protects_is_there(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if [name for name in settings.MIDDLEWARE if name in PROTECTING] != PROTECTING:
        return [Error(f"MIDDLEWARE must hold, in this order: {', '.join(PROTECTING)}.", id="avicenna.E013")]
    return []


@register(Tags.security)
def backup_keys_are_usable(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    hint = "`python manage.py new_backup_key` prints a fresh one."
    try:
        if settings.BACKUP_KEY:
            backup_keys()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint=hint, id="avicenna.E020")]
    if shared := shared_with_fields():
        return [Error(f"BACKUP_KEY: {', '.join(sorted(shared))} also seals fields.", hint=hint, id="avicenna.E021")]
    return []


@register(Tags.security, deploy=True)
def staff_has_a_second_factor(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if not settings.STAFF_TOTP_REQUIRED:
        return [Error("STAFF_TOTP_REQUIRED is off: staff signs in by password alone.", id="avicenna.E014")]
    return []
