from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions import reset_second_factor
from accounts.models import User


class Command(BaseCommand):
    help = (
        "For a lost phone without recovery codes: takes the authenticator app from an account and signs it out "
        "everywhere. Where staff must have one, the next sign-in to the admin sets up another."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError("There is no such account.")
        had_one = reset_second_factor(user=user)
        self.stdout.write(f"{user.email} is signed out everywhere{'' if had_one else '; there was no second factor'}.")
