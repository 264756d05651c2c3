"""The catalogue's CSV files in the admin: out, and in again after a look at what would change."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget

from accounts.access import Act, Resource, may
from accounts.models import User
from avicenna.csv_cells import lines
from avicenna.streaming import streamed
from diagnoses.catalogue_files import FILES, BadCatalogue, columns, load_file, preview, rows


class CatalogueFileForm(forms.Form):
    """First the file, then its text once more, when somebody has seen what it changes."""

    file = forms.FileField(label=_("CSV file"), required=False, widget=UnfoldAdminFileFieldWidget)
    text = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not (given.get("file") or given.get("text")):
            raise forms.ValidationError(_("Please choose a file."))
        return given

    @property
    def is_confirmed(self) -> bool:
        return bool(self.cleaned_data["text"])

    @property
    def data_of_file(self) -> bytes:
        if self.is_confirmed:
            return str(self.cleaned_data["text"]).encode()
        return bytes(self.cleaned_data["file"].read())


class CatalogueFilesAdmin(ModelAdmin):
    actions_list = ["export_file", "import_file"]

    @action(description=_("Export"), url_path="export", permissions=["export"], icon="download")
    def export_file(self, request: HttpRequest) -> HttpResponse:
        answer = streamed(request, lines(rows(self.model)), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{self._file}"'
        return cast(HttpResponse, answer)

    @action(description=_("Import"), url_path="import", permissions=["add"], icon="upload")
    def import_file(self, request: HttpRequest) -> HttpResponse:
        form = CatalogueFileForm(request.POST or None, request.FILES or None)
        shown: dict[str, Any] = {"form": form, "columns": columns(self.model)}
        if form.is_valid():
            data = form.data_of_file
            given: dict[str, Any] = {"actor": cast(User, request.user), "file": self._file, "model": self.model}
            try:
                if form.is_confirmed:
                    loaded = load_file(data=data, **given)
                    messages.success(request, _said(loaded.created, loaded.changed))
                    return redirect("..")
                shown |= {"loaded": preview(data=data, **given), "text": data.decode("utf-8-sig")}
            except BadCatalogue as error:
                shown["problems"] = error.problems
        context = self.admin_site.each_context(request) | {"opts": self.model._meta, "title": self._title} | shown
        return render(request, "diagnoses/catalogue_import.html", context | {"words": _words()})

    def has_export_permission(self, request: HttpRequest) -> bool:
        """All columns are in the file, also those that not everybody who reads the catalogue may see."""
        return may(request.user, Act.READ, Resource.CATALOGUE, "source")

    @property
    def _file(self) -> str:
        return next(name for name, model in FILES.items() if model is self.model)

    @property
    def _title(self) -> str:
        return gettext("Import: %(terms)s") % {"terms": self.model._meta.verbose_name_plural}


def _said(created: int, changed: int) -> str:
    return gettext("New: %(created)s. Changed: %(changed)s.") % {"created": created, "changed": changed}


def _words() -> dict[str, str]:
    return {
        "columns": gettext("A CSV file in UTF-8 with these columns; the export has them, too:"),
        "rule": gettext("Nothing is written before you have seen what changes, and then all lines or none."),
        "look": gettext("Look at what changes"),
        "refused": gettext("Nothing was written. Please correct these lines:"),
        "line": gettext("line"),
        "wrong": gettext("what is wrong"),
        "unchanged": gettext("As they are:"),
        "new": gettext("new"),
        "slug": gettext("slug"),
        "changes": gettext("changes"),
        "write": gettext("Write it"),
        "another": gettext("Another file"),
        "nothing": gettext("The catalogue says the same already."),
    }
