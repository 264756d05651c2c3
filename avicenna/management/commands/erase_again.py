from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.actions import erase_again


class Command(BaseCommand):
    help = (
        "After a restore: erases again who was erased after the backup was made. Their keys are not in the keyring any "
        "more; this takes out what was not sealed. `restore` does it itself unless the database must be migrated first."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{erase_again()} patients erased again")
