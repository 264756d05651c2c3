"""What a patient is asked to consent to, in words for people."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Whoever changes a text gives it a new version: what was consented to before was another text.
TEXT_VERSION = "2026-11"

TEXTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "treatment": (
        _("Treatment"),
        _(
            "The clinic keeps a record about you and uses what you report to treat you. If you withdraw this, nothing "
            "new is written into your record and you cannot report any more. What is already written the clinic must "
            "keep for as long as the law says."
        ),
    ),
    "statistics": (
        _("Statistics"),
        _(
            "What you report is counted, without your name, in the figures that show how well a remedy works. Groups "
            "of fewer than five people are not shown. If you withdraw this, your reports leave the figures at once; "
            "your own treatment goes on."
        ),
    ),
    "training": (
        _("Improving predictions"),
        _(
            "What you report helps the clinic's own computer to learn which remedy suits whom. Nothing leaves the "
            "clinic. If you withdraw this, the next training does without your reports; until then the present model "
            "still holds what it learned from them."
        ),
    ),
}
