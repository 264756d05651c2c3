from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from avicenna.encryption import EncryptedJSONField
from realtime.events import EVENTS


class DiagnosisEvent(models.Model):
    """One event of one diagnosis. `seq` counts from 1 without gaps, in the order of the commits."""

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


class Ticket(models.Model):
    """Opens one socket once. Only a hash is kept: a reader of the table cannot use it."""

    digest = models.CharField(max_length=64, unique=True)
    session = models.ForeignKey("accounts.Session", on_delete=models.CASCADE, related_name="tickets")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tickets")
    diagnosis = models.ForeignKey("diagnoses.Diagnosis", on_delete=models.CASCADE, related_name="tickets")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")

    def __str__(self) -> str:
        return f"{self.diagnosis_id}"
