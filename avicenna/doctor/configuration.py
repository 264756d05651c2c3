from __future__ import annotations

from django.conf import settings
from django.core.checks import ERROR, run_checks

from avicenna.doctor.findings import Findings, error, fine, warning

PART = "settings"


def examine_settings() -> Findings:
    """What `check --deploy` finds."""
    if settings.DEBUG:
        yield warning(PART, "DEBUG is on", "Only for a developer's own machine: unset DEBUG, set the secrets.")
    found = [one for one in run_checks(include_deployment_checks=not settings.DEBUG) if not one.is_silenced()]
    for one in found:
        finding = error if one.level >= ERROR else warning
        yield finding(PART, f"{one.msg} ({one.id})", one.hint or "See .env.example.")
    if not found:
        yield fine(PART, "every check passes")
