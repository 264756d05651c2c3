from __future__ import annotations

from pathlib import Path

import pytest

from feedback.importing.records import MAX_RECORD_LINES, Record, UnreadableFile, read_records


@pytest.fixture
def records(tmp_path: Path):
    def read(content: str) -> list[Record]:
        path = tmp_path / "file"
        path.write_text(content, encoding="utf-8", newline="")
        return list(read_records(path, delimiter=";"))

    return read


def test_fields_are_parted_where_the_format_says(records):
    assert records('a,b;"c;d"\n') == [Record(1, ["a,b", "c;d"], 'a,b;"c;d"\n')]


def test_a_text_longer_than_any_real_one_is_an_open_quote(records):
    fits, beyond = ('"' + "\n" * lines + '"\n' for lines in (MAX_RECORD_LINES - 1, MAX_RECORD_LINES))

    assert [record.line for record in records(fits + "next")] == [1, MAX_RECORD_LINES + 1]
    assert records(beyond)[0] == Record(1, None, '"\n')


def test_advice_is_given_where_a_format_has_any(tmp_path):
    (tmp_path / "file").write_bytes(b"\xff")

    with pytest.raises(UnreadableFile, match=r"^line 1 is not UTF-8$"):
        next(read_records(tmp_path / "file", delimiter=","))
    with pytest.raises(UnreadableFile, match=r"^line 1 is not UTF-8: do this$"):
        next(read_records(tmp_path / "file", delimiter=",", advice="do this"))
