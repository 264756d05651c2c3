from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.checkup import examine_token
from avicenna.doctor import configuration, database, machine, reach
from avicenna.doctor.findings import Examination, Finding, Severity, examine_all
from avicenna.doctor.sealed import examine_sealed_fields
from predictions.checkup import examine_diagnosis, examine_model, examine_patient
from realtime.checkup import examine_layer, examine_stream

FINDINGS, CANNOT_RUN = 1, 2
STANDARD_INPUT = "-"


class Command(BaseCommand):
    help = (
        "Examines this clinic and says what to do about what it finds; it changes nothing and names no secret and no "
        "person. Exit code 0: all is well. 1: there are findings. 2: it could not run."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--only", action="append", metavar="PART", help="examine this part, and not the others")
        parser.add_argument("--token", help="why is this token not taken? `-` reads it from the standard input")
        parser.add_argument("--diagnosis", type=UUID, help="why do its predictions not improve?")
        parser.add_argument("--patient", type=UUID, help="why do the predictions for this patient not improve?")
        parser.add_argument("--url", type=_web_address, help="why can the phone not connect? The address that it uses")
        parser.add_argument("--origin", default="", help="with --url: the origin of a page on another host")
        parser.add_argument(
            "--disk-free", type=float, default=machine.DISK_FREE_PERCENT, help="percent; default: %(default)s"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = list(examine_all(_chosen(options), database_answers=database.database_answers))
        except ObjectDoesNotExist as error:
            raise CommandError(str(error), returncode=CANNOT_RUN) from error
        worst = _worst(found)
        if options["json"]:
            self.stdout.write(json.dumps({"status": worst, "findings": [asdict(one) for one in found]}, indent=2))
        else:
            self._show(found)
        if worst is not Severity.OK:
            sys.exit(FINDINGS)

    def _show(self, found: list[Finding]) -> None:
        styles = {Severity.OK: self.style.SUCCESS, Severity.WARNING: self.style.WARNING}
        styles[Severity.ERROR] = self.style.ERROR
        for one in found:
            self.stdout.write(f"{styles[one.severity](f'{one.severity:<8}')} {one.part:<14} {one.found}")
            if one.do:
                self.stdout.write(f"{'':<24}→ {one.do}")
        count = sum(one.severity is not Severity.OK for one in found)
        self.stdout.write(f"{count} findings." if count else "All is well.")


def _chosen(options: dict[str, Any]) -> list[Examination]:
    every = list(_examinations(options))
    if not (only := options["only"]):
        return every
    if unknown := set(only) - {one.part for one in every}:
        known = ", ".join(dict.fromkeys(one.part for one in every))
        raise CommandError(f"Not examined: {', '.join(sorted(unknown))}. There are: {known}", returncode=CANNOT_RUN)
    return [one for one in every if one.part in only]


def _examinations(options: dict[str, Any]) -> Iterator[Examination]:
    yield Examination("settings", configuration.examine_settings)
    yield Examination("database", database.examine_database)
    yield Examination("migrations", database.examine_migrations, needs_database=True)
    yield Examination("schema", database.examine_schema, needs_database=True)
    yield Examination("sealed fields", examine_sealed_fields, needs_database=True)
    yield Examination("redis", machine.examine_redis)
    yield Examination("channel layer", examine_layer)
    yield Examination("clock", machine.examine_clocks, needs_database=True)
    yield Examination("stream", examine_stream, needs_database=True)
    yield Examination("worker", machine.examine_worker, needs_database=True)
    yield Examination("model", examine_model, needs_database=True)
    yield Examination("disk", partial(machine.examine_disks, options["disk_free"]))
    yield Examination("backup", machine.examine_backups)
    yield Examination("certificate", machine.examine_certificate)
    yield Examination("reach", reach.examine_what_is_let_in)
    if options["url"]:
        yield Examination("reach", partial(reach.examine_url, options["url"], options["origin"]))
    if options["token"]:
        given = sys.stdin.read() if options["token"] == STANDARD_INPUT else options["token"]
        yield Examination("token", partial(examine_token, given), needs_database=True)
    if options["diagnosis"]:
        yield Examination("predictions", partial(examine_diagnosis, options["diagnosis"]), needs_database=True)
    if options["patient"]:
        yield Examination("predictions", partial(examine_patient, options["patient"]), needs_database=True)


def _worst(found: list[Finding]) -> Severity:
    present = {one.severity for one in found}
    return next((one for one in (Severity.ERROR, Severity.WARNING) if one in present), Severity.OK)


def _web_address(given: str) -> str:
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ArgumentTypeError("an address begins with https:// or http://")
    return given
