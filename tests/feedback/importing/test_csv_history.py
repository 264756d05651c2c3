from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from feedback.importing.csv_history import HEADER, Report, read
from feedback.importing.records import Reject, UnreadableFile

TODAY = date(2024, 6, 1)
HEAD = ",".join(HEADER) + "\n"
GOOD = "P-17,1980,female,cold_dry,insomnia,chamomile,4,3,5,nausea:2;headache:1,good,2024-03-02\n"


@pytest.fixture
def items(tmp_path: Path):
    def read_bytes(content: str | bytes) -> list[Report | Reject]:
        path = tmp_path / "history.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read(path, today=TODAY))

    return read_bytes


def row(**changes: str) -> str:
    fields = dict(zip(HEADER, GOOD.strip().split(","), strict=True)) | changes
    return ",".join(fields[name] for name in HEADER) + "\n"


def test_a_row_becomes_a_report(items):
    assert items(HEAD + GOOD) == [
        Report(
            line=2,
            text=GOOD,
            patient="P-17",
            birth_year=1980,
            sex="female",
            mizaj="cold_dry",
            condition="insomnia",
            remedy="chamomile",
            rating=4,
            improvement=3,
            compliance=5,
            side_effects=(("nausea", 2), ("headache", 1)),
            comment="good",
            day=date(2024, 3, 2),
        )
    ]


def test_what_may_be_empty_is_empty(items):
    (report,) = items(HEAD + row(birth_year="", sex="", mizaj="", compliance="", side_effects="", comment=""))

    assert (report.birth_year, report.sex, report.mizaj, report.compliance) == (None, "", "", None)
    assert report.side_effects == ()


def test_persian_digits_and_words_are_understood(items):
    (report,) = items(
        HEAD
        + row(
            patient="پ-۱۷",
            birth_year="۱۹۸۰",
            sex="زن",
            mizaj="سرد و تر",
            rating="۴",
            improvement="٣",
            compliance="۵",
            side_effects="تهوع:۲؛ سردرد:۱",
            date="۲۰۲۴-۰۳-۰۲",
        )
    )

    assert (report.patient, report.birth_year, report.sex, report.mizaj) == ("پ-17", 1980, "female", "cold_wet")
    assert (report.rating, report.improvement, report.compliance) == (4, 3, 5)
    assert report.side_effects == (("تهوع", 2), ("سردرد", 1))
    assert report.day == date(2024, 3, 2)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"patient": " "}, "patient is empty"),
        ({"patient": "x" * 101}, "patient is longer"),
        ({"birth_year": "80"}, "not a year"),
        ({"birth_year": "1359"}, "Gregorian"),
        ({"birth_year": "2025"}, "after the date"),
        ({"sex": "yes"}, "sex “yes”"),
        ({"mizaj": "hot"}, "mizaj “hot”"),
        ({"condition": ""}, "condition is empty"),
        ({"remedy": ""}, "remedy is empty"),
        ({"rating": "6"}, "rating “6”"),
        ({"rating": ""}, "rating “”"),
        ({"improvement": "3.5"}, "improvement “3.5”"),
        ({"compliance": "0"}, "compliance “0”"),
        ({"side_effects": "nausea"}, "side_effects “nausea”"),
        ({"side_effects": ":2"}, "side_effects “:2”"),
        ({"side_effects": "nausea:9"}, "severity of nausea"),
        ({"date": "2024-06-02"}, "in the future"),
        ({"date": "۱۴۰۲-۱۲-۱۲"}, "Gregorian"),
        ({"date": "2024-02-30"}, "YYYY-MM-DD"),
        ({"date": "02.03.2024"}, "YYYY-MM-DD"),
    ],
)
def test_an_unusable_field_rejects_its_row_and_says_which(items, changes, reason):
    bad, good = items(HEAD + row(**changes) + GOOD)

    assert isinstance(bad, Reject)
    assert (bad.line, bad.text) == (2, row(**changes))
    assert reason in bad.reason
    assert isinstance(good, Report)


def test_today_is_not_the_future(items):
    (report,) = items(HEAD + row(date="2024-06-01"))

    assert report.day == TODAY


def test_lines_are_counted_across_line_breaks_and_empty_rows(items):
    found = items(HEAD + row(comment='"one\ntwo, three"') + "\n" + ",,,,,,,,,,,\n" + row(rating="9"))

    assert found[0].comment == "one\ntwo, three"
    assert [item.line for item in found] == [2, 6]


def test_a_lost_quote_costs_its_own_line_only(items):
    found = items(HEAD + row(comment='"never closed') + GOOD * 600)

    assert found[0] == Reject(2, "broken quoting", row(comment='"never closed'))
    assert [item.line for item in found[1:]] == list(range(3, 603))


def test_a_row_with_a_field_too_many_is_rejected(items):
    (bad,) = items(HEAD + GOOD.strip() + ",more\n")

    assert bad.reason == "13 fields where 12 are needed"


def test_columns_may_come_in_any_order_behind_a_byte_order_mark_and_beside_others(items):
    names, fields = [*reversed(HEADER), "nurse"], [*reversed(GOOD.strip().split(",")), "Maryam"]

    (report,) = items("\ufeff" + ",".join(names).title() + "\r\n" + ",".join(fields) + "\r\n")

    assert (report.patient, report.day) == ("P-17", date(2024, 3, 2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "lacks patient"),
        (HEAD.replace(",", ";").encode(), "lacks"),
        (HEAD.replace("\n", ",Rating\n").encode(), "rating more than once"),
        (HEAD.encode() + "P-17,زن".encode("cp1256"), "line 2 is not UTF-8: save the file as “CSV UTF-8”"),
        (HEAD.encode("utf-16"), "line 1"),
        (b"PK\x03\x04\x00\x00", "line 1 is binary"),
        (b"x" * (1 << 21), "longer"),
    ],
)
def test_a_file_of_another_kind_is_unreadable(items, content, message):
    with pytest.raises(UnreadableFile, match=message):
        items(content)


def test_a_missing_file_is_unreadable(tmp_path):
    with pytest.raises(UnreadableFile):
        next(read(tmp_path / "missing.csv", today=TODAY))
