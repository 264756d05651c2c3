from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    PATIENT = "patient", _("patient")
    PRACTITIONER = "practitioner", _("practitioner")
    STAFF = "staff", _("staff")
