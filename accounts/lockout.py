"""Wrong passwords, at whichever door they are tried: django-axes asks here before each and tells of each that failed.

Counted is the pair of account and address, so that a stranger elsewhere locks nobody out. Many addresses trying one
account meet a second brake, and addresses from which its owner has signed in go around it. An account that does not
exist is counted like one that does.
"""

from __future__ import annotations

from typing import Any

from axes.handlers.base import AxesHandler
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import failures
from accounts.brakes import Brake
from accounts.devices import address_digest
from accounts.models import Session, User
from audit import trail
from audit.models import Action
from avicenna.errors import answer
from avicenna.proxies import address_of

# Someone who mistypes has four more tries; a machine at one address has four an hour in the end.
PAIR = Brake("pair", free=5, longest_seconds=15 * 60)
# Tries from addresses that the account does not know, all together.
ACCOUNT = Brake("account", free=50, longest_seconds=5 * 60)


class Lockout(AxesHandler):  # type: ignore[misc]  # it carries no types
    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        request.locked_seconds = _wait(_email(credentials), request)  # type: ignore[attr-defined]
        return bool(request.locked_seconds)  # type: ignore[attr-defined]

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        if request is None:
            return
        email, digest = _email(credentials), address_digest(address_of(request))
        reason: failures.Reason = "locked" if request.axes_locked_out else "password"  # type: ignore[attr-defined]
        failures.note(reason)
        tell_refusal(User.objects.filter(email=email).first(), email, reason)
        if reason == "locked":
            return
        PAIR.failed(email, digest)
        if not Session.objects.knows(email, digest):
            ACCOUNT.failed(email)

    def user_logged_in(self, sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        PAIR.forget(user.email, address_digest(address_of(request)))

    def user_logged_out(self, sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
        """Of the admin; the API's sessions end in `accounts.actions`."""
        if user is not None:
            with transaction.atomic():
                trail.signed(user, Action.SIGNED_OUT)


def tell_refusal(account: User | None, email: str, reason: str) -> None:
    """The trail says which account was tried, also of one that does not exist: what is written takes as long."""
    tried = salted_hmac("accounts.lockout", email, algorithm="sha256").hexdigest()[:32]
    trail.refused(account, reason, tried=tried)


def _email(credentials: dict[str, Any] | None) -> str:
    return str((credentials or {}).get("username") or "").lower()


def _wait(email: str, request: HttpRequest) -> int:
    """Seconds until this address may try this account again."""
    digest = address_digest(address_of(request))
    wait, of_account = PAIR.wait(email, digest), ACCOUNT.wait(email)
    if of_account > wait and not Session.objects.knows(email, digest):
        return of_account
    return wait


def locked_out(request: HttpRequest, original: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """The answer to a try during the wait, at any door; it is the same for an account that does not exist."""
    seconds = max(1, getattr(request, "locked_seconds", 1))
    message = _("Too many wrong attempts. Please wait a little before the next.")
    response = answer(request, 429, "too_many_requests", message)
    response["Retry-After"] = str(seconds)
    return response
