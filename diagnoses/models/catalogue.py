from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from diagnoses.querysets import CatalogueQuerySet


class CatalogueTerm(models.Model):
    """A word of the catalogue, in both languages."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name_en = models.CharField(_("English name"), max_length=200)
    name_fa = models.CharField(_("Persian name"), max_length=200)
    is_active = models.BooleanField(_("active"), default=True)

    objects: ClassVar[CatalogueQuerySet] = CatalogueQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """In the caller's language."""
        return self.name_fa if (get_language() or "en").startswith("fa") else self.name_en


class Condition(CatalogueTerm):
    category = models.CharField(_("category"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        ordering = ["slug"]


class Remedy(CatalogueTerm):
    class Kind(models.TextChoices):
        HERBAL = "herbal", _("herbal")
        DIETARY = "dietary", _("dietary")
        LIFESTYLE = "lifestyle", _("lifestyle")
        PHYSICAL = "physical", _("physical")
        COMPOUND = "compound", _("compound")
        DRUG = "drug", _("drug")

    class Confidence(models.TextChoices):
        HIGH = "high", _("a degree is stated")
        MEDIUM = "medium", _("no degree, or disputed")
        LOW = "low", _("no temperament is claimed")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    scientific_name = models.CharField(_("scientific name"), max_length=200, blank=True)
    warmth = models.SmallIntegerField(
        _("warmth"), null=True, blank=True, help_text=_("-4 cold to +4 warm, in the Canon's four degrees")
    )
    moisture = models.SmallIntegerField(
        _("moisture"), null=True, blank=True, help_text=_("-4 dry to +4 wet, in the Canon's four degrees")
    )
    source = models.CharField(_("source"), max_length=300, blank=True)
    confidence = models.CharField(_("confidence"), max_length=6, choices=Confidence, default=Confidence.LOW)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("remedy")
        verbose_name_plural = _("remedies")
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=models.Q(warmth__range=(-4, 4)), name="remedy_warmth_range"),
            models.CheckConstraint(condition=models.Q(moisture__range=(-4, 4)), name="remedy_moisture_range"),
        ]


class SideEffect(CatalogueTerm):
    body_system = models.CharField(_("body system"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("side effect")
        verbose_name_plural = _("side effects")
        ordering = ["slug"]
