from __future__ import annotations

import logging
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, cast

from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

from accounts import tokens
from accounts.models import PushSubscription, Session, User
from accounts.tokens import PresentedRefreshToken, TokenPair
from avicenna.errors import ActionError, Forbidden
from diagnoses.actions import create_patient
from realtime.publish import rights_changed

security_log = logging.getLogger("avicenna.security")

# Two tabs may renew at once, and an answer may get lost: so long a used refresh token is no theft.
RENEWAL_GRACE = timedelta(seconds=60)


class EmailTaken(ActionError):
    code = "email_taken"
    message = _("This email is already registered.")


class WrongCredentials(ActionError):
    code = "wrong_credentials"
    message = _("The email or the password is wrong.")
    status = status.HTTP_401_UNAUTHORIZED


class TokenRefused(ActionError):
    code = "not_authenticated"
    message = _("Your session has ended. Please sign in again.")
    status = status.HTTP_401_UNAUTHORIZED


class SessionReused(TokenRefused):
    code = "session_reused"
    message = _("This session was used in two places and was ended for your safety. Please sign in again.")


class WeakPassword(ActionError):
    code = "invalid"
    message = _("The password is too easy to guess.")

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(field="password", reasons=reasons)


@transaction.atomic
def register(
    *,
    email: str,
    password: str,
    full_name: str,
    language: str = "fa",
    birth_date: date | None = None,
    sex: str = "",
) -> User:
    """A person signs up as a patient. Raises `EmailTaken`, `WeakPassword`."""
    user = User(email=email.lower(), language=language)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(error.messages) from error
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise EmailTaken(field="email") from error
    create_patient(actor=user, full_name=full_name, user=user, birth_date=birth_date, sex=sex)
    return user


@transaction.atomic
def sign_in(*, email: str, password: str, device: str = "") -> TokenPair:
    """Opens a session. The answer to a wrong password and to an unknown email is the same and takes as long."""
    user = authenticate(email=email.lower(), password=password)
    if not isinstance(user, User):
        raise WrongCredentials
    update_last_login(User, user)
    return tokens.issue(Session.objects.create(user=user, device=device[:200]))


def renew(*, refresh: str, attempt: str = "") -> TokenPair:
    """The next pair of a session, for its newest refresh token.

    A token that was used already gets the same next one again for `RENEWAL_GRACE`, and as long as that is not used
    either whenever the same `attempt` asks: the name that a client gives to what it tries until it has an answer.
    Used again otherwise it is in two hands, and the session ends. Raises `TokenRefused`, `SessionReused`.
    """
    pair = _next_pair(_open_refresh(refresh), attempt)
    if pair is None:  # after the commit: the session stays ended
        raise SessionReused
    return pair


@transaction.atomic
def _next_pair(old: PresentedRefreshToken, attempt: str) -> TokenPair | None:
    """None when the session ended because the token was used again."""
    locked = Session.objects.select_for_update(of=("self",), no_key=True).select_related("user")
    session = locked.filter(pk=tokens.session_id(old)).first()
    if session is None or not session.is_live:
        raise SessionReused if session and session.was_reused else TokenRefused
    used, is_first_use = cast(tuple[BlacklistedToken, bool], old.blacklist())  # annotated wrongly there
    purpose = sha256(f"{old['jti']} {attempt}".encode()).hexdigest()
    if is_first_use:
        session.renewed_for = purpose
        session.save(update_fields=["renewed_for"])
        return tokens.issue(session)
    is_same_attempt = bool(attempt) and session.renewed_for == purpose
    if is_same_attempt or timezone.now() - used.blacklisted_at <= RENEWAL_GRACE:
        return tokens.issue_again(session)
    session.was_reused = True
    session.save(update_fields=["was_reused"])
    _end(Session.objects.filter(pk=session.pk), session.user)
    security_log.warning(
        "a refresh token was used again; its session is ended", extra={"user": session.user_id, "session": session.pk}
    )
    return None


@transaction.atomic
def sign_out(*, session: Session, everywhere: bool = False) -> None:
    """Ends the session, or all of its user: their access and refresh tokens stop working at once."""
    sessions = session.user.sessions.filter(ended_at=None)
    _end(sessions if everywhere else sessions.filter(pk=session.pk), session.user)


def _end(sessions: QuerySet[Session], user: User) -> None:
    """Their sockets close, and their devices are told nothing any more."""
    PushSubscription.objects.filter(session__in=sessions).delete()
    sessions.update(ended_at=timezone.now())
    rights_changed(user)


@transaction.atomic
def subscribe(*, session: Session, endpoint: str, keys: dict[str, Any]) -> None:
    """The device of this session wants to be told when there is something new."""
    digest = sha256(endpoint.encode()).hexdigest()
    PushSubscription.objects.filter(Q(session=session) | Q(endpoint_digest=digest)).delete()
    PushSubscription.objects.create(
        session=session, endpoint_digest=digest, subscription={"endpoint": endpoint, "keys": keys}
    )


def unsubscribe(*, session: Session) -> None:
    PushSubscription.objects.filter(session=session).delete()


@transaction.atomic
def change_me(*, actor: User, language: str | None = None, name: str | None = None) -> User:
    if language is not None:
        actor.language = language
    if name is not None:
        actor.name = name
    actor.save(update_fields=["language", "name"])
    return actor


def _open_refresh(raw: str) -> PresentedRefreshToken:
    try:
        token = PresentedRefreshToken(raw)  # type: ignore[arg-type]
        tokens.session_id(token)
    except TokenError as error:
        raise TokenRefused from error
    return token


@transaction.atomic
def save_user(*, actor: User | None, user: User) -> User:
    """Adds or changes an account. Staff decides; a deactivated user's sessions end."""
    if actor and not actor.is_staff:
        raise Forbidden
    user.save()
    if not user.is_active:
        user.sessions.filter(ended_at=None).update(ended_at=timezone.now())
    rights_changed(user)
    return user
