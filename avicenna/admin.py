from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.filters import DateFieldListFilter
from django.db.models import DateField, DateTimeField, Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.views import ChangeList

from accounts.access import Act, Resource, closed_fields, may, role_of
from avicenna.dates import day, moment
from avicenna.errors import ActionError
from avicenna.pagination import NewestPaginator

admin.site.index_title = _("The clinic")

PERIODS = {7: _("7 days"), 30: _("30 days"), 90: _("90 days"), 365: _("one year")}


class ReadOnlyAdmin(ModelAdmin):
    """A window: what is shown here changes through the API alone. The access matrix says to whom it opens."""

    resource: ClassVar[Resource]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, Act.READ)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, Act.READ)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return dated(self.model, self._open(request, super().get_list_display(request)))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return self._open(request, super().get_list_filter(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self._open(request, super().get_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return dated(self.model, super().get_readonly_fields(request, obj))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Dates that nobody changes here are written out; in a form they stay what they are."""
        names = self.readonly_fields if self.has_change_permission(request, obj) else None
        return [
            (title, {**options, "fields": dated(self.model, options["fields"], only=names)})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """What one may not see one may not ask for in an address either."""
        return bool(self._open(request, [lookup.split("__")[0]])) and super().lookup_allowed(lookup, value, request)

    def _open(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        closed = closed_fields(role_of(request.user), Act.READ, self.resource)
        return [name for name in names if not (isinstance(name, str) and name in closed)]

    def _may(self, request: HttpRequest, act: Act) -> bool:
        return request.user.is_staff and may(request.user, act, self.resource)


class StaffAdmin(ReadOnlyAdmin):
    """Staff adds and changes; nothing is deleted. Subclasses save through actions."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return self._may(request, Act.CREATE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, Act.CHANGE)


class ReadOnlyInline(TabularInline):
    """A window like `ReadOnlyAdmin`, on the page of what it belongs to."""

    resource: ClassVar[Resource]
    extra = 0
    can_delete = False
    show_change_link = False
    hide_title = True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return dated(self.model, super().get_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return dated(self.model, super().get_readonly_fields(request, obj))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, Act.READ, self.resource)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def related(path: str, label: Any, *, is_link: bool = False) -> Any:
    """A column for what a row refers to, named in the reader's language; as a link on pages of one row."""

    @admin.display(description=label)
    def column(page: ModelAdmin, row: Model) -> str:
        found = attrgetter(path)(row)
        if found is None:
            return "–"
        if not is_link or not page.admin_site.is_registered(type(found)):
            return str(found)
        page_of = f"admin:{found._meta.app_label}_{found._meta.model_name}_change"
        return format_html('<a href="{}">{}</a>', reverse(page_of, args=[found.pk]), found)

    return column


def dated(model: type[Model], names: Iterable[Any], *, only: Iterable[Any] | None = None) -> list[Any]:
    """The same columns, but dates, or `only` these of them, in the reader's calendar."""
    dates = {field.name: field for field in model._meta.concrete_fields if isinstance(field, DateField)}
    if only is not None:
        dates = {name: dates[name] for name in only if name in dates}
    return [_dated(dates[name]) if isinstance(name, str) and name in dates else name for name in names]


@cache
def _dated(field: DateField[Any, Any]) -> Any:
    written = moment if isinstance(field, DateTimeField) else day

    @admin.display(description=field.verbose_name, empty_value="–")
    def column(row: Model) -> str | None:
        given = getattr(row, field.name)
        return written(given) if given else None

    column.__name__ = field.name
    return column


class NewestChangeList(ChangeList):
    """Says how many there are only of a choice: of everything it would be the paginator's limit."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


class NewestFirst(ModelAdmin):
    """For tables that grow with every day: whatever they hold, a page costs what it shows.

    Nothing is counted beyond the newest 2,000, and nothing is sorted or searched that no index finds: `found_by_id`
    names columns with ids, `found_by_email` one of an account, `found_by_term` catalogues whose words may be typed.
    """

    found_by_id: ClassVar[tuple[str, ...]] = ("pk",)
    found_by_email: ClassVar[str] = ""
    found_by_term: ClassVar[Mapping[str, type[Model]]] = {}

    ordering: Any = ["-pk"]
    sortable_by = ()
    search_fields = ["pk"]  # so that there is a field to type in
    list_per_page = 50
    paginator = NewestPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(self._found(search_term.strip())) if search_term.strip() else queryset, False

    def _found(self, term: str) -> Q:
        try:
            named = UUID(term)
        except ValueError:
            pass
        else:
            return _any(Q(**{column: named}) for column in self.found_by_id)
        if "@" in term and self.found_by_email:
            return Q(**{self.found_by_email: term.lower()})
        return _any(Q(**{f"{column}__in": _terms(model, term)}) for column, model in self.found_by_term.items())


class Period(DateFieldListFilter):
    """The last days, as many as people ask for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        spoken: list[tuple[Any, dict[str, Any]]] = [
            (words, {self.lookup_kwarg_since: str(today - timedelta(days=days - 1))}) for days, words in PERIODS.items()
        ]
        self.links = ((_("Any date"), {}), *spoken)


class Grade(admin.FieldListFilter):
    """1 to 5. Django's own filter of numbers would look through the whole table for those that occur."""

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.lookup_kwarg = f"{field_path}__exact"
        self.lookup_val: Any = params.get(self.lookup_kwarg) or [None]
        super().__init__(field, request, params, model, model_admin, field_path)

    def expected_parameters(self) -> list[str | None]:
        return [self.lookup_kwarg]

    def choices(self, changelist: Any) -> Any:
        chosen = str(self.lookup_val[-1] or "")
        everything = changelist.get_query_string(remove=[self.lookup_kwarg])
        yield {"selected": not chosen, "query_string": everything, "display": _("All")}
        for grade in map(str, range(1, 6)):
            query = changelist.get_query_string({self.lookup_kwarg: grade})
            yield {"selected": grade == chosen, "query_string": query, "display": grade}


def act(request: HttpRequest, rows: QuerySet[Any], action: Any, done: str) -> None:
    """Does it to each of the chosen rows; what is refused is told with its reason, and does not hold up the others."""
    is_done, refused = False, set()
    for row in rows:
        try:
            action(row)
            is_done = True
        except ActionError as error:
            refused.add(f"{row}: {error.message}")
    if is_done:
        messages.success(request, done)
    for reason in sorted(refused):
        messages.error(request, reason)


def _any(conditions: Any) -> Q:
    found = Q(pk__in=[])
    for condition in conditions:
        found |= condition
    return found


def _terms(model: type[Model], term: str) -> list[int]:
    """Ids of the catalogue, so that the large table is asked by its own index."""
    named = Q(slug__icontains=term) | Q(name_en__icontains=term) | Q(name_fa__icontains=term)
    return list(model._default_manager.filter(named).values_list("pk", flat=True)[:200])
