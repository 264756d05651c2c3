from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.importing.druglib import HEADER, Report, normalise_condition, read
from feedback.importing.records import Reject, UnreadableFile

HEAD = "\t".join(HEADER) + "\r\n"
GOOD = "7\tdrug\t8\tHighly Effective\tMild Side Effects\tinsomnia\tgood\tnone\tnightly\r\n"


@pytest.fixture
def items(tmp_path: Path):
    def read_bytes(content: str | bytes) -> list[Report | Reject]:
        path = tmp_path / "reviews.tsv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read(path))

    return read_bytes


def row(**changes: str) -> str:
    fields = dict(zip(HEADER, GOOD.rstrip("\r\n").split("\t"), strict=True)) | changes
    return "\t".join(fields[name] for name in HEADER) + "\r\n"


def test_a_report_has_its_line_and_its_grades_from_one_to_five(items):
    assert items(HEAD + GOOD) == [
        Report(
            line=2,
            row_id=7,
            drug="drug",
            condition="insomnia",
            rating=8,
            effectiveness=5,
            side_effects=2,
            comment="nightly",
        )
    ]


def test_quoted_texts_keep_line_breaks_carriage_returns_tabs_and_quotes(items):
    found = items(HEAD + row(commentsReview='"one\r\ntwo\rthree\n\tsaid ""four"""') + GOOD)

    assert [item.line for item in found] == [2, 5]
    assert found[0].comment == 'one\r\ntwo\rthree\n\tsaid "four"'


def test_a_torn_row_is_a_reject_with_its_line_reason_and_text(items):
    found = items(HEAD + "the end of a torn text\t\t\t\t\t\t\t\t\r\n" + GOOD)

    assert found[0] == Reject(2, "row id is not a whole number", "the end of a torn text\t\t\t\t\t\t\t\t\r\n")
    assert isinstance(found[1], Report)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rating": "0"}, "rating"),
        ({"rating": "11"}, "rating"),
        ({"rating": "7.5"}, "rating"),
        ({"rating": "\u0667"}, "rating"),
        ({"effectiveness": "Very Effective"}, "effectiveness"),
        ({"sideEffects": ""}, "sideEffects"),
        ({"condition": "  "}, "condition"),
        ({"urlDrugName": ""}, "urlDrugName"),
        ({"": "9" * 5000}, "row id"),
    ],
)
def test_an_unusable_field_rejects_its_row_and_names_the_field(items, changes, reason):
    bad, good = items(HEAD + row(**changes) + GOOD)

    assert isinstance(bad, Reject)
    assert reason in bad.reason
    assert isinstance(good, Report)


@pytest.mark.parametrize("text", ["", "7\tdrug\t8", GOOD.rstrip() + "\tone more"])
def test_a_row_with_the_wrong_number_of_fields_is_rejected(items, text):
    bad, good = items(HEAD + text + "\r\n" + GOOD)

    assert isinstance(bad, Reject)
    assert "fields" in bad.reason
    assert good.line == 3


@pytest.mark.parametrize("broken", ['7\t"never closed\r\n', '7\t"closed" early\t8\r\n', "7\tstray\rreturn\r\n"])
def test_broken_quoting_costs_its_own_line_only(items, broken):
    found = items(HEAD + broken + GOOD + row(commentsReview='"fine"'))

    assert found[0] == Reject(2, "broken quoting", broken)
    assert [type(item) for item in found[1:]] == [Report, Report]
    assert [item.line for item in found] == [2, 3, 4]


def test_an_open_quote_does_not_swallow_a_long_file(items):
    found = items(HEAD + '7\t"open\r\n' + GOOD * 2000)

    assert sum(isinstance(item, Report) for item in found) == 2000
    assert found[-1].line == 2002


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\r\n", "lacks"),
        (b"a,b,c\n1,2,3\n", "lacks"),
        (HEAD.replace("\tcondition", "").encode(), "condition"),
        (HEAD.replace("\r\n", "\trating\r\n").encode(), "two columns"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
        (b"SQLite format 3\x00", "binary"),
        (HEAD.encode() + row(urlDrugName="café").encode("latin-1"), "line 2 is not UTF-8"),
        (HEAD.encode("utf-16"), "line 1"),
        (b"x" * (1 << 21), "longer"),
    ],
)
def test_a_file_of_another_kind_is_unreadable(items, content, message):
    with pytest.raises(UnreadableFile, match=message):
        items(content)


@pytest.mark.parametrize("name", ["missing.tsv", "."])
def test_a_missing_file_or_a_folder_is_unreadable(tmp_path, name):
    with pytest.raises(UnreadableFile):
        next(read(tmp_path / name))


def test_reading_is_lazy(tmp_path):
    path = tmp_path / "reviews.tsv"
    path.write_bytes((HEAD + GOOD).encode() + b"\xff\r\n")

    found = read(path)

    assert isinstance(next(found), Report)
    with pytest.raises(UnreadableFile, match="line 3"):
        next(found)


def test_columns_are_found_by_name_also_behind_a_byte_order_mark(items):
    names = [*reversed(HEADER)]
    fields = [*reversed(GOOD.rstrip("\r\n").split("\t"))]

    (report,) = items("\ufeff" + "\t".join(names) + "\n" + "\t".join(fields) + "\n")

    assert (report.row_id, report.rating, report.comment) == (7, 8, "nightly")


@given(content=st.binary(max_size=300) | st.text(alphabet='"\t\r\n7a', max_size=300).map(str.encode))
def test_no_bytes_crash_the_reader_and_every_line_is_accounted_for(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "reviews.tsv"
    path.write_bytes(HEAD.encode() + content)
    try:
        found = list(read(path))
    except UnreadableFile:
        return
    assert "".join(item.text for item in found if isinstance(item, Reject)) == content.decode()


@given(comments=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5))
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, comments):
    path = tmp_path_factory.mktemp("written") / "reviews.tsv"
    fields = GOOD.rstrip("\r\n").split("\t")[:-1]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter="\t").writerows([HEADER, *([*fields, comment] for comment in comments)])

    assert [item.comment for item in read(path)] == [comment.strip() for comment in comments]


@pytest.mark.parametrize(
    ("effectiveness", "side_effects", "success"),
    [
        ("Moderately Effective", "Moderate Side Effects", True),
        ("Moderately Effective", "Severe Side Effects", False),
        ("Marginally Effective", "No Side Effects", False),
        ("Highly Effective", "Extremely Severe Side Effects", False),
        ("Considerably Effective", "No Side Effects", True),
    ],
)
def test_success_needs_an_effect_without_severe_side_effects(items, effectiveness, side_effects, success):
    (report,) = items(HEAD + row(effectiveness=effectiveness, sideEffects=side_effects))

    assert report.success is success


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Depression ", "depression"),
        ("  DEPRESSION. . .", "depression"),
        ("high\u00a0 blood\r\n pressure…", "high blood pressure"),
        ("\uff21\uff24\uff28\uff24", "adhd"),
        ("Straße", "strasse"),
        ("سردرد؟", "سردرد"),
        ("می\u200cگرن\u06d4", "می\u200cگرن"),
        ("anxiety (mild)", "anxiety (mild)"),
        ("?!", ""),
    ],
)
def test_conditions_have_one_spelling(text, expected):
    assert normalise_condition(text) == expected


@given(st.text())
def test_normalising_twice_changes_nothing_and_case_does_not_matter(text):
    once = normalise_condition(text)

    assert normalise_condition(once) == once
    assert normalise_condition(text.casefold()) == once
