from __future__ import annotations

from django.utils.translation import gettext

from accounts.actions import end_sessions
from accounts.models import User


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
