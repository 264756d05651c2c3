from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from audit.querysets import AuditRecordQuerySet
from avicenna.identifiers import new_id

# The roles, and one that there was: the trail says what was, and is not rewritten.
TOLD_ROLES = [*Role.choices, ("staff", _("staff"))]


class Action(models.TextChoices):
    READ = "read", _("read")
    LISTED = "listed", _("saw in a list")
    EXPORTED = "exported", _("exported")
    REPLAYED = "replayed", _("opened the live stream")
    DELIVERED = "delivered", _("watched live")
    CREATED = "created", _("created")
    CHANGED = "changed", _("changed")
    BROKE_GLASS = "broke_glass", _("opened in an emergency")
    SIGNED_IN = "signed_in", _("signed in")
    SIGNED_OUT = "signed_out", _("signed out")
    REFUSED = "refused", _("was refused")


class Kind(models.TextChoices):
    """What it was about; `object_id` names which, and is empty for a list."""

    PATIENT = "patient", _("record")
    DIAGNOSIS = "diagnosis", _("diagnosis")
    RECOMMENDATION = "recommendation", _("recommendation")
    CONTRAINDICATION = "contraindication", _("contraindication")
    EMERGENCY_ACCESS = "emergency_access", _("emergency access")
    FEEDBACK = "feedback", _("report")
    SEVERE_FLAG = "severe_flag", _("severe side effect")
    STATISTICS = "statistics", _("statistics")
    PREDICTION = "prediction", _("prediction")
    EVENTS = "events", _("live events")
    SESSION = "session", _("session")


class Purpose(models.TextChoices):
    OWN = "own", _("one's own data")
    TREATMENT = "treatment", _("treatment")
    ADMINISTRATION = "administration", _("administration")
    EMERGENCY = "emergency", _("emergency")
    OPERATION = "operation", _("operation of the clinic's computers")


class AuditRecord(models.Model):
    """Who did what with whose data, when, from where and why. Written once; only the seal is added, once.

    It holds no name of a patient and refers to nothing by a constraint: it outlives what it tells of, unchanged.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)
    # No constraint and no cascade: deleting an account must not touch what it did. Empty: at the command line.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    actor_role = models.CharField(_("role"), max_length=12, choices=TOLD_ROLES, blank=True)
    actor_name = models.CharField(_("name"), max_length=254, blank=True, help_text=_("As it was; never a patient's."))
    session = models.CharField(_("session"), max_length=36, blank=True)
    network = models.CharField(_("from where"), max_length=43, blank=True, help_text=_("The network, not the address."))
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    action = models.CharField(_("action"), max_length=11, choices=Action)
    kind = models.CharField(_("what"), max_length=16, choices=Kind)
    object_id = models.CharField(_("which"), max_length=36, blank=True)
    patient = models.UUIDField(_("patient"), null=True)
    purpose = models.CharField(_("purpose"), max_length=14, choices=Purpose)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    changes = models.JSONField(_("changes"), default=dict, help_text=_("Field → old and new; null where it is sealed."))
    # The seal: its place in the chain, the hash of the one before, and the hash of both with everything above.
    number = models.BigIntegerField(_("number"), null=True, editable=False)
    previous_hash = models.CharField(_("hash before"), max_length=64, blank=True, default="", editable=False)
    hash = models.CharField(_("hash"), max_length=64, blank=True, default="", editable=False)

    objects: ClassVar[AuditRecordQuerySet] = AuditRecordQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("audit record")
        verbose_name_plural = _("audit trail")
        ordering = ["-id"]
        indexes = [
            # who looked at a record, newest first: the id rises with time
            models.Index(fields=["patient", "-id"], name="audit_patient"),
            # what somebody did, and what was done in one way, newest first: the admin
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["action", "-id"], name="audit_action"),
            # what is still to be sealed
            models.Index(fields=["id"], condition=models.Q(number=None), name="audit_unsealed"),
        ]
        constraints = [
            # the order of the chain; without what has no number yet: a request need not write to this index
            models.UniqueConstraint(
                fields=["number"], condition=models.Q(number__isnull=False), name="audit_number_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(number=None, hash="", previous_hash="")
                | (models.Q(number__gte=1) & ~models.Q(hash="") & ~models.Q(previous_hash="")),
                name="audit_sealed_as_a_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.get_kind_display()}"
