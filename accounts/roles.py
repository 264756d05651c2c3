from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What each may do is said by `accounts.access`."""

    PATIENT = "patient", _("patient")
    PRACTITIONER = "practitioner", _("practitioner")
    RECEPTION = "reception", _("reception")
    HEAD = "head", _("head of the clinic")
    OPERATOR = "operator", _("operator")
