from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# NUL, and half of a surrogate pair: the database cannot hold the one, UTF-8 not the other, in no field.
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


class BoundedJSONParser(JSONParser):
    """JSON up to DATA_UPLOAD_MAX_MEMORY_SIZE, however it was sent.

    Django checks the limit when `request.body` is read; DRF reads the stream past it.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise RequestDataTooBig
        try:
            parsed = super().parse(BytesIO(raw), media_type, parser_context)
            is_text = b"\\u" not in raw or _is_text(parsed)  # only an escape brings such a character in
        except (RecursionError, ParseError) as error:  # nested too deeply; not JSON, told in the caller's language
            raise ParseError from error
        if not is_text:
            raise ParseError
        return parsed


def _is_text(value: Any) -> bool:
    if isinstance(value, str):
        return not _NO_TEXT.search(value)
    if isinstance(value, dict):
        return all(_is_text(part) for item in value.items() for part in item)
    return not isinstance(value, list) or all(map(_is_text, value))
