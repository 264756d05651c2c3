from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.translation import gettext

from accounts.actions import end_sessions
from accounts.models import User


class OwaspArgon2(Argon2PasswordHasher):
    """Argon2id as OWASP's Password Storage Cheat Sheet asks for at least: 19 MiB, two passes, one lane.

    Django's own parameters take 100 MiB and ten times as long: then five people a second who sign in keep both
    cores of a small clinic's server from everybody else. What was kept with others is made anew at the next sign-in.
    """

    time_cost, memory_cost, parallelism = 2, 19 * 1024, 1


class EndsSessions:
    """No rule for passwords but what a new one entails, at every door: Django calls it when one was set.

    `accounts.actions.change_password` keeps the session that asked, and so ends the others itself.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Takes every password."""

    def password_changed(self, password: str, user: User) -> None:
        end_sessions(user=user)

    def get_help_text(self) -> str:
        return gettext("A change signs the account out on all devices.")
