from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.access import OPENS_ADMIN
from accounts.querysets import SessionQuerySet
from accounts.roles import Role as Role
from avicenna.encryption import EncryptedJSONField, EncryptedTextField
from avicenna.identifiers import new_id


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, role=Role.HEAD, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    # Kept in lower case, so that one address is one account however it is typed.
    email = models.EmailField(
        _("email address"), unique=True, error_messages={"unique": _("This email is already registered.")}
    )
    name = models.CharField(_("name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=12, choices=Role, default=Role.PATIENT)
    language = models.CharField(_("language"), max_length=2, choices=[("fa", "فارسی"), ("en", "English")], default="fa")
    is_active = models.BooleanField(_("active"), default=True)
    # Raised when the account is signed out everywhere: Django's own sessions, the admin's, end by it.
    sign_outs = models.PositiveIntegerField(default=0, editable=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django signs its sessions with it, also with earlier secrets."""
        salt = "accounts.models.User.session"
        return salted_hmac(salt, f"{self.password}{self.sign_outs}", secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """Django's word for who may open the admin."""
        return self.role in OPENS_ADMIN

    @property
    def is_practitioner(self) -> bool:
        return self.role == Role.PRACTITIONER


class Session(models.Model):
    """One sign-in on one device; every token names it, so ending it ends the tokens at once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    device = models.CharField(_("device"), max_length=200, blank=True)
    # Of where it was opened (`accounts.devices`); the address itself is kept nowhere.
    address_digest = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("signed in"), auto_now_add=True)
    # Written when the tokens are renewed, not with each request.
    seen_at = models.DateTimeField(_("seen"), default=timezone.now)
    ended_at = models.DateTimeField(_("signed out"), null=True, blank=True)
    # One line of refresh tokens: the id of the newest, which a renewal that is repeated gets again.
    newest_refresh = models.CharField(max_length=32, blank=True, default="", editable=False)
    # A digest of what the newest was given for: the token before it, and the client's name for that try.
    renewed_for = models.CharField(max_length=64, blank=True, default="", editable=False)
    was_reused = models.BooleanField(_("ended because an old token was used again"), default=False, editable=False)

    # How long the token or ticket that opened it holds; not stored.
    access_until: datetime

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return f"{self.device or self.id}"

    @property
    def is_live(self) -> bool:
        return self.ended_at is None and self.user.is_active


class SecondFactor(models.Model):
    """An authenticator app, as `accounts.second_factor` uses it."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="second_factor")
    secret = EncryptedTextField(help_text="base32")
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0, help_text="of 30 seconds, the newest whose code was used")

    def __str__(self) -> str:
        return f"{self.user_id}"


class RecoveryCode(models.Model):
    """Opens once in place of the app, and is gone."""

    factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"{self.factor_id}"


class PushSubscription(models.Model):
    """Where a device can be told that there is something new; it goes with the session it was given in."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, primary_key=True, related_name="push")
    # One browser is told once, whoever signed in on it last. A hash: who knows the address can write to the device.
    endpoint_digest = models.CharField(max_length=64, unique=True)
    subscription = EncryptedJSONField(help_text="endpoint and keys, as the browser gave them")
    created_at = models.DateTimeField(_("given"), default=timezone.now)
    pushed_at = models.DateTimeField(_("told last"), null=True)

    class Meta:
        verbose_name = _("push subscription")
        verbose_name_plural = _("push subscriptions")

    def __str__(self) -> str:
        return f"{self.session_id}"
