"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

Whoever signs in proves it after the password. A code opens once, also when two requests race with it.
"""

from __future__ import annotations

import secrets
import time
from base64 import b32decode, b32encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from hmac import compare_digest

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from accounts import failures
from accounts.brakes import Brake
from accounts.lockout import tell_refusal
from accounts.models import RecoveryCode, SecondFactor, User
from audit import trail
from avicenna.errors import ActionError
from avicenna.throttling import TooManyRequests

ISSUER = "Avicenna"
SECRET_BYTES = 20
STEP_SECONDS = 30
# A phone's clock may be off by a step either way.
DRIFT = (-1, 0, 1)
RECOVERY_CODES = 10
# By account alone: who gets here knows the password.
CODES = Brake("code", free=5, longest_seconds=15 * 60)


class CodeRequired(ActionError):
    code = "code_required"
    message = _("Please enter the code of your authenticator app.")
    status = status.HTTP_401_UNAUTHORIZED


class WrongCode(ActionError):
    code = "wrong_code"
    message = _("This code is wrong or was used before.")
    status = status.HTTP_401_UNAUTHORIZED


class SecondFactorMissing(ActionError):
    code = "second_factor_missing"
    message = _("Your account needs an authenticator app. Sign in to the administration to set it up.")
    status = status.HTTP_403_FORBIDDEN


def of(user: User) -> SecondFactor | None:
    """The one that is in use; a second factor begun and not confirmed asks for nothing."""
    return SecondFactor.objects.filter(user=user).exclude(confirmed_at=None).first()


def is_required(user: User) -> bool:
    return user.is_staff and settings.STAFF_TOTP_REQUIRED


def demand(user: User, code: str) -> None:
    """Whoever has a second factor proves it; whoever must have one needs it. Raises what `spend` does, and more."""
    if of(user):
        if not code:
            raise CodeRequired
        spend(user, code)
    elif is_required(user):
        raise SecondFactorMissing


def begin(user: User) -> SecondFactor:
    """A new secret, or the one that still waits to be confirmed."""
    secret = b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    factor, _ = SecondFactor.objects.get_or_create(user=user, defaults={"secret": secret})
    return factor


def address_for_app(factor: SecondFactor) -> str:
    """What the QR code says (https://github.com/google/google-authenticator/wiki/Key-Uri-Format)."""
    return _totp(factor).get_provisioning_uri(factor.user.email, ISSUER)


def confirm(user: User, code: str) -> list[str]:
    """Takes the new secret into use; returns the recovery codes, which nobody can tell again. Raises as `spend`."""
    with _refusal_told(user):
        return _confirm(user, code)


@transaction.atomic
def _confirm(user: User, code: str) -> list[str]:
    factor = SecondFactor.objects.select_for_update().get(user=user)
    _check(user, lambda: factor.confirmed_at is None and _takes_step(factor, code))
    SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=timezone.now())
    fresh = [b32encode(secrets.token_bytes(10)).decode() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create([RecoveryCode(factor=factor, digest=_digest(user, code)) for code in fresh])
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in fresh]


def spend(user: User, code: str) -> None:
    """Raises `WrongCode`, also for one that was used, and `TooManyRequests`."""
    factor = of(user)
    with _refusal_told(user):
        _check(user, lambda: factor is not None and (_takes_step(factor, code) or _takes_recovery_code(factor, code)))


def remove(user: User) -> bool:
    """Whether there was one."""
    return bool(SecondFactor.objects.filter(user=user).delete()[0])


@contextmanager
def _refusal_told(user: User) -> Iterator[None]:
    try:
        yield
    except (WrongCode, TooManyRequests) as refusal:
        tell_refusal(user, user.email, "code" if isinstance(refusal, WrongCode) else trail.LOCKED)
        raise


def _check(user: User, takes: Callable[[], bool]) -> None:
    if wait := CODES.wait(user.pk):
        failures.note("locked")
        raise TooManyRequests(wait=wait)
    if not takes():
        CODES.failed(user.pk)
        failures.note("code")
        raise WrongCode(field="code")
    CODES.forget(user.pk)


def _takes_step(factor: SecondFactor, code: str) -> bool:
    now, totp = int(time.time() // STEP_SECONDS), _totp(factor)
    given = code.replace(" ", "").encode()
    for step in (now + drift for drift in DRIFT):
        if compare_digest(totp.generate(step * STEP_SECONDS), given):
            used = SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step).update(last_step=step)
            return used == 1
    return False


def _takes_recovery_code(factor: SecondFactor, code: str) -> bool:
    plain = code.replace("-", "").replace(" ", "").upper()
    return bool(RecoveryCode.objects.filter(factor=factor, digest=_digest(factor.user, plain)).delete()[0])


def _totp(factor: SecondFactor) -> TOTP:
    return TOTP(b32decode(factor.secret), 6, SHA1(), STEP_SECONDS)  # noqa: S303  # what the apps know


def _digest(user: User, code: str) -> str:
    """80 random bits need no slow hash."""
    return sha256(f"{user.pk}:{code}".encode()).hexdigest()
