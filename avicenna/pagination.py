from __future__ import annotations

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """Numbered pages. Every list orders by something unique last, so that no row is seen twice or missed."""

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100
