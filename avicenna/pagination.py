from __future__ import annotations

from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from rest_framework.pagination import PageNumberPagination

COUNTED = 2_000


class FirstPageCounts(Paginator):  # type: ignore[type-arg]
    """Most lists of a patient fit on one page: reading one row more than it holds tells how many there are."""

    def page(self, number: int | str) -> Page[Any]:
        if str(number) != "1":
            return super().page(number)
        rows = list(self.object_list[: self.per_page + 1])
        if len(rows) <= self.per_page:
            self.count = len(rows)
        return Page(rows[: self.per_page], 1, self)


class Pages(PageNumberPagination):
    """Numbered pages. Every list orders by something unique last, so that no row is seen twice or missed."""

    django_paginator_class = FirstPageCounts
    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100


class NewestPaginator(Paginator):  # type: ignore[type-arg]
    """Over the newest COUNTED at most: to count all of a large table takes seconds, and nobody turns so many pages."""

    @cached_property
    def count(self) -> int:
        return cast(QuerySet[Any], self.object_list)[:COUNTED].count()
