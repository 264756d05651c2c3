from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, cast

from django.contrib.admin.models import LogEntry
from django.contrib.auth import authenticate, user_logged_in
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import devices, second_factor, tokens
from accounts.access import Act, Reach, Resource, reach, role_of
from accounts.errors import (
    EmailTaken,
    SessionReused,
    TokenRefused,
    WeakPassword,
    WrongCredentials,
    WrongPassword,
)
from accounts.models import PushSubscription, Role, Session, User
from accounts.tokens import PresentedRefreshToken, TokenPair
from audit import trail
from audit.models import Action
from avicenna.errors import Forbidden
from avicenna.permissions import require
from avicenna.proxies import address_of
from diagnoses.actions import create_patient, erase_patient, note_consents
from diagnoses.models import Consent, Patient, PatientKey
from feedback.actions import set_counted
from realtime.publish import rights_changed

security_log = logging.getLogger("avicenna.security")

# Two tabs may renew at once, and an answer may get lost: so long a used refresh token is no theft.
RENEWAL_GRACE = timedelta(seconds=60)
SEEN_EVERY = timedelta(minutes=10)


@transaction.atomic
def register(
    *,
    email: str,
    password: str,
    full_name: str,
    language: str = "fa",
    birth_date: date | None = None,
    sex: str = "",
    consents: Mapping[Consent.Purpose, bool] | None = None,
) -> User:
    """A person signs up as a patient; `consents` are the answers to what was asked.

    Raises `EmailTaken`, `WeakPassword`.
    """
    user = User(email=email.lower(), language=language)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword("password", error.messages) from error
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise EmailTaken(field="email") from error
    create_patient(actor=user, full_name=full_name, user=user, birth_date=birth_date, sex=sex)
    if consents:
        set_consents(actor=user, consents=consents, language=language)
    return user


def sign_in(*, request: HttpRequest, email: str, password: str, code: str = "", device: str = "") -> TokenPair:
    """Opens a session. The answer to a wrong password and to an unknown email is the same and takes as long.

    `accounts.lockout` slows down who guesses. Raises `WrongCredentials`, and what `second_factor.demand` does.
    """
    user = authenticate(request, username=email.lower(), password=password)
    if not isinstance(user, User):
        raise WrongCredentials
    second_factor.demand(user, code)
    with transaction.atomic():
        proven = user.password
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if user.password != proven or not user.is_active:  # changed since: its sessions were ended a moment ago
            raise WrongCredentials
        session = _open_session(user, request, device)
        trail.signed(user, Action.SIGNED_IN, session.pk)
        user_logged_in.send(User, request=request, user=user)
    return tokens.issue(session)


def _open_session(user: User, request: HttpRequest, device: str) -> Session:
    return Session.objects.create(
        user=user,
        device=devices.device_name(device, request.headers.get("User-Agent", "")),
        address_digest=devices.address_digest(address_of(request)),
    )


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
        _note_seen(session)
        return tokens.issue(session, renewed_for=purpose)
    is_same_attempt = bool(attempt) and session.renewed_for == purpose
    if is_same_attempt or timezone.now() - used.blacklisted_at <= RENEWAL_GRACE:
        return tokens.issue_again(session)
    session.was_reused = True
    session.save(update_fields=["was_reused"])
    _end(session.user, Session.objects.filter(pk=session.pk))
    security_log.warning(
        "a refresh token was used again; its session is ended", extra={"user": session.user_id, "session": session.pk}
    )
    return None


def _note_seen(session: Session) -> None:
    """At most once in SEEN_EVERY, however often tokens are renewed."""
    now = timezone.now()
    if session.seen_at < now - SEEN_EVERY:
        Session.objects.filter(pk=session.pk).update(seen_at=now)


@transaction.atomic
def sign_out(*, session: Session, everywhere: bool = False) -> None:
    """Ends the session, or all of its user and the admin's: their access and refresh tokens stop working at once."""
    if everywhere:
        sign_out_everywhere(user=session.user)
    else:
        _end(session.user, session.user.sessions.filter(pk=session.pk))
    trail.signed(session.user, Action.SIGNED_OUT, session.pk)


@transaction.atomic
def sign_out_everywhere(*, user: User) -> None:
    User.objects.filter(pk=user.pk).update(sign_outs=F("sign_outs") + 1)
    end_sessions(user=user)


@transaction.atomic
def end_sessions(*, user: User, but: Session | None = None) -> None:
    """Ends every session of the user, with its tokens, sockets and messages, or every other than `but`."""
    _end(user, user.sessions.exclude(pk=but.pk) if but else user.sessions.all())


@transaction.atomic
def end_session(*, actor: User, session: Session) -> None:
    """Somebody else's, by staff: a phone was lost."""
    require(actor, Act.CHANGE, Resource.ACCOUNT)
    _end(session.user, session.user.sessions.filter(pk=session.pk))
    trail.signed(actor, Action.SIGNED_OUT, session.pk)


def _end(user: User, sessions: QuerySet[Session]) -> None:
    open_ones = sessions.filter(ended_at=None)
    PushSubscription.objects.filter(session__in=open_ones).delete()
    if open_ones.update(ended_at=timezone.now()):
        rights_changed(user)


@transaction.atomic
def change_password(*, actor: User, session: Session, current: str, new: str) -> None:
    """Ends the other sessions. Raises `WrongPassword`, `WeakPassword`."""
    # Who signs in with the old one waits, and is refused.
    user = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if not check_password(current, user.password):
        raise WrongPassword(field="current")
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise WeakPassword("new", error.messages) from error
    user.password = make_password(new)
    user.save(update_fields=["password"])
    end_sessions(user=user, but=session)


@transaction.atomic
def reset_second_factor(*, user: User) -> bool:
    """For a lost phone: nothing stays signed in. Whether there was a second factor."""
    sign_out_everywhere(user=user)
    return second_factor.remove(user)


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


@transaction.atomic
def set_consents(*, actor: User, consents: Mapping[Consent.Purpose, bool], language: str) -> Patient:
    """What a patient consents to from now on; what is not named stays. Statistics follow in the same transaction."""
    own = Patient.objects.filter(user=actor).only("pk").first()
    if own is None:
        raise Forbidden
    patient = note_consents(actor=actor, patient_id=own.pk, consents=consents, language=language)
    if Consent.Purpose.STATISTICS in consents:
        set_counted(patient_id=patient.pk, is_counted=patient.is_counted)
    return patient


def erase_me(*, actor: User, password: str) -> None:
    """A patient leaves, for ever and at once. Raises `Forbidden` for those of the clinic, `WrongPassword`.

    What practitioners have signed stays signed: their accounts are deactivated, not erased.
    """
    if reach(role_of(actor), Act.ERASE, Resource.PATIENT) != Reach.OWN:
        raise Forbidden
    _confirm(actor, password)
    with transaction.atomic():
        for pk in Patient.objects.filter(user=actor).values_list("pk", flat=True):
            erase_patient(actor=actor, patient_id=pk)
        _erase_account(actor)
    security_log.warning("an account was erased by its owner", extra={"user": actor.pk})


def erase_person(*, actor: User | None, patient: Patient, password: str = "") -> None:
    """The same by staff, on the patient's request. None is the operator."""
    require(actor, Act.ERASE, Resource.PATIENT, least=Reach.ALL)
    if actor:
        _confirm(actor, password)
    with transaction.atomic():
        user = patient.user
        erase_patient(actor=actor, patient_id=patient.pk)
        if user and user.role == Role.PATIENT:
            _erase_account(user)
    security_log.warning(
        "a patient was erased", extra={"user": actor.pk if actor else None, "patient": str(patient.pk)}
    )


def erase_again() -> int:
    """After a restore: those whose key was thrown away since the backup was made. Returns how many."""
    # Not those whose key is missing altogether: then the keyring is the wrong one, and nobody wanted to be erased.
    thrown_away = PatientKey.objects.filter(secret__isnull=True)
    patients = list(Patient.objects.select_related("user").filter(erased_at=None, key__in=thrown_away))
    for patient in patients:
        erase_person(actor=None, patient=patient)
    return len(patients)


def _confirm(user: User, password: str) -> None:
    if not user.check_password(password):
        raise WrongPassword(field="password")


def _erase_account(user: User) -> None:
    """The row stays, for what refers to it, and says nothing of anybody; whoever comes back registers anew."""
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    OutstandingToken.objects.filter(user=user).delete()
    user.sessions.all().delete()
    second_factor.remove(user)
    LogEntry.objects.filter(content_type__app_label="accounts", content_type__model="user", object_id=user.pk).delete()
    user.email, user.name, user.is_active, user.last_login = f"erased-{user.pk}@erased.invalid", "", False, None
    user.set_unusable_password()
    user.save()
    rights_changed(user)


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
    require(actor, Act.CHANGE, Resource.ACCOUNT)
    user.save()
    if not user.is_active:
        end_sessions(user=user)
    rights_changed(user)
    return user
