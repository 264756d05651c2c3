from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.verification import Verification


def kept_head(text: str) -> tuple[int, str]:
    found = re.fullmatch(r"(\d+):([0-9a-f]{64})", text)
    if not found:
        raise ValueError(text)
    return int(found[1]), found[2]


class Command(BaseCommand):
    help = "Follow the chain of the audit trail and name every record that was changed, moved or taken away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            type=kept_head,
            metavar="NUMBER:HASH",
            help="a head that was kept elsewhere, as the log has it in each line `sealed`; may be given several times",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verification = Verification(kept=dict(options["head"]))
        wrong = 0
        for finding in verification.findings():
            wrong += 1
            self.stdout.write(finding)
        self.stdout.write(f"{verification.records} records, head {verification.head.number}:{verification.head.hash}")
        if wrong:
            raise CommandError(f"{wrong} findings")
