from __future__ import annotations

from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from rest_framework.pagination import PageNumberPagination

COUNTED = 2_000


class Pages(PageNumberPagination):
    """Numbered pages. Every list orders by something unique last, so that no row is seen twice or missed."""

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100


class NewestPaginator(Paginator):  # type: ignore[type-arg]
    """Over the newest COUNTED at most: to count all of a large table takes seconds, and nobody turns so many pages."""

    @cached_property
    def count(self) -> int:
        return cast(QuerySet[Any], self.object_list)[:COUNTED].count()
