"""What unfold says in English alone on the pages of the admin: named here, so that it is translated with ours."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SAID = [
    _("Apply Filters"),
    _("Cancel"),
    _("Choose file to upload"),
    _("Dark"),
    _("False"),
    _("Go back"),
    _("Light"),
    _("More actions"),
    _("Next"),
    _("No results found"),
    _("No results matching your query"),
    _("Please correct the error below."),
    _("Previous"),
    _("Reset filters"),
    _("Return to site"),
    _("Run"),
    _("Select action"),
    _("Select action to run"),
    _("Select all rows"),
    _("Select record"),
    _("System"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Toggle password visibility"),
    _("True"),
    _("Type to search"),
    _("Value"),
    _("Welcome back to"),
    _("You have been successfully logged out from the administration"),
]
