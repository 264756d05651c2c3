from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from avicenna.encryption import EncryptedJSONField
from avicenna.sql import Statement, run
from realtime.events import EVENTS

# A process reports every few seconds (`realtime.hub.REPORT_SECONDS`).
SILENT_AFTER = timedelta(seconds=10)


class DiagnosisEvent(models.Model):
    """One event of one diagnosis. `seq` counts from 1 without gaps, in the order of the commits."""

    encryption_key: ClassVar[str] = "diagnosis__patient__key"

    diagnosis = models.ForeignKey("diagnoses.Diagnosis", on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField(_("number"))
    type = models.CharField(_("type"), max_length=30, choices=[(name, name) for name in EVENTS])
    payload = EncryptedJSONField(_("payload"))
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["diagnosis", "seq"]
        constraints = [
            # also the index that replay reads
            models.UniqueConstraint(fields=["diagnosis", "seq"], name="event_seq_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.seq}"

    @property
    def encryption_identity(self) -> str:
        return f"{self.diagnosis_id}:{self.seq}"


class RightsClock(models.Model):
    """One row: `number` rises in the transaction of every change that takes a right away."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="rights_clock_one_row")]

    def __str__(self) -> str:
        return f"{self.number}"

    @classmethod
    def newest(cls) -> int:
        [rows] = run(Statement(f"SELECT number FROM {cls._meta.db_table}"))
        return int(rows[0][0]) if rows else 0


class Receipt(models.Model):
    """How far one device has confirmed the stream of one diagnosis."""

    session = models.ForeignKey(
        "accounts.Session", on_delete=models.CASCADE, related_name="receipts", verbose_name=_("session")
    )
    diagnosis = models.ForeignKey(
        "diagnoses.Diagnosis", on_delete=models.CASCADE, related_name="receipts", verbose_name=_("diagnosis")
    )
    seen_seq = models.PositiveIntegerField(_("seen up to"))
    seen_at = models.DateTimeField(_("seen at"))

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [models.UniqueConstraint(fields=["session", "diagnosis"], name="receipt_once")]

    def __str__(self) -> str:
        return f"{self.diagnosis_id}: {self.seen_seq}"


class StreamProcessQuerySet(models.QuerySet["StreamProcess"]):
    def alive(self) -> Self:
        """Those that gave a sign of life lately; a killed process falls silent."""
        return self.filter(seen_at__gt=timezone.now() - SILENT_AFTER).order_by("started_at")


class StreamProcess(models.Model):
    """What one server process with sockets said of itself last."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=100)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    connections = models.PositiveIntegerField()
    diagnoses = models.PositiveIntegerField()
    users = models.PositiveIntegerField()
    hears_hints = models.BooleanField()

    objects = StreamProcessQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Ticket(models.Model):
    """Opens one socket once. Only a hash is kept: a reader of the table cannot use it."""

    digest = models.CharField(max_length=64, unique=True)
    session = models.ForeignKey("accounts.Session", on_delete=models.CASCADE, related_name="tickets")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tickets")
    diagnosis = models.ForeignKey("diagnoses.Diagnosis", on_delete=models.CASCADE, related_name="tickets")
    expires_at = models.DateTimeField(db_index=True)
    access_until = models.DateTimeField()  # when the token it was asked with expires

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")

    def __str__(self) -> str:
        return f"{self.diagnosis_id}"


class News(models.Model):
    """That somebody is to be told of something new in a diagnosis by web push, unless a device of theirs sees it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="news")
    diagnosis = models.ForeignKey("diagnoses.Diagnosis", on_delete=models.CASCADE, related_name="news")
    seq = models.PositiveIntegerField()
    since = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "diagnosis"], name="news_once")]

    def __str__(self) -> str:
        return f"{self.diagnosis_id}: {self.seq}"
