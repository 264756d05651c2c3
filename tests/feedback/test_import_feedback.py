from __future__ import annotations

import csv
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from analytics.models import EffectivenessRollup
from analytics.subjects import Kind
from diagnoses.actions import contraindicate
from diagnoses.models import Condition, Contraindication, Diagnosis, Patient, Recommendation, Remedy, SideEffect
from feedback.importing import csv_history, druglib
from feedback.importing import run as importing
from feedback.models import Feedback, SideEffectReport

MANAGE = Path(__file__).parents[2] / "manage.py"
DRUGLIB_HEAD = "\t".join(druglib.HEADER) + "\n"
CSV_HEAD = ",".join(csv_history.HEADER) + "\n"
FIRST = "P-1,1980,female,cold_dry,insomnia,chamomile,4,3,5,nausea:2,good,2024-03-02\n"


def review(number: int, **changes: str) -> str:
    fields = dict(zip(druglib.HEADER, (str(number), "zoloft", "8", *["x"] * 6), strict=True))
    fields |= {"effectiveness": "Highly Effective", "sideEffects": "No Side Effects", "condition": "insomnia"} | changes
    return "\t".join(fields.values()) + "\n"


@pytest.fixture
def catalogue(db):
    Condition.objects.create(slug="insomnia", name_en="Insomnia", name_fa="بی\u200cخوابی")
    Condition.objects.create(slug="gout", name_en="Gout", name_fa="نقرس")
    Remedy.objects.create(slug="chamomile", name_en="Chamomile", name_fa="بابونه", kind=Remedy.Kind.HERBAL)
    for slug in ("nausea", "other"):
        SideEffect.objects.create(slug=slug, name_en=slug.title(), name_fa=slug)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def command(content: str | bytes, format: str = "csv", **options) -> str:
        path = tmp_path / "file"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        out = StringIO()
        call_command("import_feedback", path, format=format, stdout=out, **options)
        return out.getvalue().rpartition(", ")[0]

    return command


def rejects(name: str = "file.rejects.csv") -> list[tuple[str, str]]:
    with Path(name).open(encoding="utf-8", newline="") as file:
        return [(row["line"], row["reason"]) for row in csv.DictReader(file)]


def rolled_up() -> int:
    return EffectivenessRollup.objects.filter(kind=Kind.EVERYTHING).aggregate(Sum("n"))["n__sum"]


def test_a_druglib_report_becomes_a_patient_who_reports_today(catalogue, run):
    run(
        DRUGLIB_HEAD
        + review(7, rating="5", condition="INSOMNIA. ", sideEffects="Severe Side Effects", commentsReview="c" * 501),
        "druglib",
    )

    feedback = Feedback.objects.get()
    assert (feedback.rating, feedback.symptom_improvement, feedback.compliance) == (3, 5, None)
    assert feedback.comment == "c" * 500
    assert timezone.localdate(feedback.created_at) == timezone.localdate()
    assert (feedback.patient.full_name, feedback.patient.source) == ("Druglib report 7", Patient.Source.IMPORT)
    assert (feedback.diagnosis.condition.slug, feedback.diagnosis.severity) == ("insomnia", 3)
    assert list(SideEffectReport.objects.values_list("effect__slug", "severity")) == [("other", 4)]


def test_drugs_and_unknown_conditions_enter_the_catalogue_once(catalogue, run):
    run(DRUGLIB_HEAD + review(1, condition="Sad days") + review(2, condition="sad days."), "druglib")

    drug, condition = Remedy.objects.get(kind=Remedy.Kind.DRUG), Condition.objects.get(category="imported")
    assert (drug.slug, drug.name_en, drug.name_fa, drug.confidence) == ("drug-zoloft", "Zoloft", "Zoloft", "low")
    assert drug.source == "UCI Machine Learning Repository, Drug Review Dataset (Druglib.com)"
    assert (condition.slug, condition.name_en) == ("sad-days", "Sad days")
    assert condition.diagnoses.count() == 2


def test_the_lowest_grade_of_side_effects_is_none(catalogue, run):
    run(DRUGLIB_HEAD + review(1), "druglib")

    assert not SideEffectReport.objects.exists()


def test_rows_that_are_no_report_are_listed_with_their_lines(catalogue, run):
    summary = run(DRUGLIB_HEAD + "torn\n" + review(1) + review(2, condition="?!"), "druglib")

    assert summary == "1 imported, 0 already there, 2 rejected (see file.rejects.csv), 1 patients"
    assert rejects() == [("2", "1 fields where 9 are needed"), ("4", "condition has no letters")]


@pytest.mark.parametrize("format", ["druglib", "csv"])
def test_a_second_run_imports_nothing_twice(catalogue, run, format):
    content = CSV_HEAD + FIRST if format == "csv" else DRUGLIB_HEAD + review(1, condition="sad days")

    assert run(content, format) == "1 imported, 0 already there, 0 rejected, 1 patients"
    assert run(content, format) == "0 imported, 1 already there, 0 rejected, 0 patients"
    assert rolled_up() == Feedback.objects.count() == 1
    assert not Path("file.rejects.csv").exists()


def test_a_history_row_counts_on_its_day_and_for_its_mizaj(catalogue, run):
    run(CSV_HEAD + FIRST)

    feedback = Feedback.objects.get()
    assert timezone.localdate(feedback.created_at) == date(2024, 3, 2)
    assert (feedback.mizaj, feedback.rating, feedback.compliance) == ("cold_dry", 4, 5)
    assert feedback.patient.age(on=date(2024, 3, 2)) == 43
    assert feedback.diagnosis.created_at == feedback.recommendation.created_at == feedback.created_at
    assert feedback.diagnosis.events.count() == feedback.diagnosis.head == 4
    assert set(EffectivenessRollup.objects.values_list("day", flat=True)) == {date(2024, 3, 2)}
    assert list(SideEffectReport.objects.values_list("effect__slug", "severity")) == [("nausea", 2)]


def test_todays_report_is_not_in_the_future(catalogue, run):
    run(CSV_HEAD + FIRST.replace("2024-03-02", timezone.localdate().isoformat()))

    assert Feedback.objects.get().created_at <= timezone.now()


def test_one_identifier_is_one_person_within_a_clinic(catalogue, run):
    again = "P-1,,,,gout,chamomile,2,2,,,,2024-03-09\nP-1,,,,insomnia,chamomile,2,2,,,,2024-03-09\n"

    assert run(CSV_HEAD + FIRST + again).endswith("1 patients")
    assert run(CSV_HEAD + FIRST, clinic="Shiraz") == "1 imported, 0 already there, 0 rejected, 1 patients"
    assert (Patient.objects.count(), Diagnosis.objects.count(), Recommendation.objects.count()) == (2, 3, 3)
    assert rolled_up() == Feedback.objects.count() == 4


def test_what_a_later_row_knows_about_a_person_is_taken_over(catalogue, run):
    run(CSV_HEAD + "P-1,,,,gout,chamomile,2,2,,,,2024-03-01\n" + FIRST)

    patient = Patient.objects.get()
    assert (patient.birth_date, patient.sex, patient.mizaj_type) == (date(1980, 7, 1), "female", "cold_dry")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("1980", "1981", "birth_year differs"),
        ("female", "male", "sex differs"),
        ("cold_dry", "warm", "mizaj differs"),
    ],
)
def test_one_identifier_for_two_people_is_rejected(catalogue, run, old, new, reason):
    run(CSV_HEAD + FIRST + FIRST.replace(old, new).replace("03-02", "03-03"))

    assert Feedback.objects.count() == 1
    assert reason in rejects()[0][1]


def test_a_report_given_twice_counts_once_and_a_contradiction_is_rejected(catalogue, run):
    summary = run(CSV_HEAD + FIRST + FIRST + FIRST.replace(",4,3,", ",1,1,"))

    assert summary.startswith("1 imported, 1 already there, 1 rejected")
    assert rejects() == [("4", "another report of this patient on this remedy and day is already there")]


@pytest.mark.parametrize("name", ["بی\u200cخوابی", "بی خوابی", "بيخوابي", "Insomnia", "INSOMNIA", "insomnia"])
def test_names_match_in_both_languages(catalogue, run, name):
    run(CSV_HEAD + FIRST.replace("insomnia", name))

    assert Diagnosis.objects.get().condition.slug == "insomnia"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("chamomile", "unicorn horn", "remedy “unicorn horn” is not in the catalogue"),
        ("insomnia", "sad days", "condition “sad days” is not in the catalogue"),
        ("nausea:2", "wings:2", "side effect “wings” is not in the catalogue"),
        ("nausea:2", "nausea:2;Nausea:3", "side effect “Nausea” is named twice"),
        ("2024-03-02", "2999-03-02", "date “2999-03-02” is in the future"),
    ],
)
def test_what_is_not_known_is_rejected_and_never_invented(catalogue, run, old, new, reason):
    run(CSV_HEAD + FIRST.replace(old, new))

    assert rejects() == [("2", reason)]
    assert not Patient.objects.exists()


def test_an_ambiguous_name_asks_for_the_slug(catalogue, run):
    Remedy.objects.create(slug="chamomile-2", name_en="Chamomile", name_fa="بابونه", kind=Remedy.Kind.HERBAL)

    run(CSV_HEAD + FIRST + FIRST.replace("chamomile", "بابونه"))

    assert rejects() == [("3", "remedy “بابونه” may be chamomile, chamomile-2: write the slug")]


def test_what_must_not_be_given_to_the_patient_is_rejected(catalogue, run):
    mint = Remedy.objects.create(slug="mint", name_en="Mint", name_fa="نعناع", kind=Remedy.Kind.HERBAL)
    run(CSV_HEAD + FIRST)
    contraindicate(actor=None, patient=Patient.objects.get(), remedy=mint, cause=Contraindication.Cause.ALLERGY)

    summary = run(CSV_HEAD + FIRST.replace("chamomile", "mint").replace("2024-03-02", "2024-04-02"))

    assert "0 imported" in summary
    assert rejects() == [("2", "remedy: Mint must not be given to this patient (allergy).")]


def test_what_an_action_refuses_leaves_no_patient_behind(catalogue, run):
    Remedy.objects.update(is_active=False)

    run(CSV_HEAD + FIRST + FIRST.replace("P-1", "P-2"))

    assert rejects() == [(line, "remedy: This is no longer in use in the catalogue.") for line in "23"]
    assert not Patient.objects.exists()


@pytest.mark.parametrize("format", ["druglib", "csv"])
def test_a_dry_run_counts_like_a_real_one_and_writes_nothing(catalogue, run, format):
    content = DRUGLIB_HEAD + review(1, condition="sad days") + "torn\n"
    if format == "csv":
        content = CSV_HEAD + FIRST + FIRST + FIRST.replace("1980", "1981").replace("03-02", "03-03")

    told = run(content, format, dry_run=True)

    assert not (Patient.objects.exists() or Condition.objects.filter(slug="sad-days").exists())
    assert not Path("file.rejects.csv").exists()
    assert told == "Dry run, nothing is written: " + run(content, format).replace(" (see file.rejects.csv)", "")


def test_the_rejects_go_where_they_are_wanted(catalogue, run):
    run(CSV_HEAD + FIRST.replace("chamomile", "nothing"), rejects=Path("elsewhere.csv"), dry_run=True)

    assert rejects("elsewhere.csv")
    assert Path("elsewhere.csv").stat().st_mode & 0o077 == 0


def test_the_rejects_never_overwrite_the_file(catalogue, run, tmp_path):
    with pytest.raises(CommandError, match="the file itself"):
        run(CSV_HEAD + FIRST, rejects=tmp_path / "file")


@pytest.mark.parametrize("format", ["druglib", "csv"])
def test_a_file_that_breaks_in_its_middle_writes_nothing(catalogue, run, monkeypatch, format):
    monkeypatch.setattr(importing, "batch_size", lambda: 1)
    rows = CSV_HEAD + FIRST if format == "csv" else DRUGLIB_HEAD + review(1)

    with pytest.raises(CommandError, match="line 3 is not UTF-8"):
        run(rows.encode() + b"\xff\n", format)
    assert not Patient.objects.exists()


@pytest.mark.parametrize("format", ["druglib", "csv"])
def test_another_header_is_an_error(catalogue, run, format):
    with pytest.raises(CommandError, match="header lacks"):
        run("a,b\n1,2\n", format)


def test_an_empty_catalogue_says_what_to_do(db, run):
    with pytest.raises(CommandError, match="load_catalogue"):
        run(CSV_HEAD + FIRST)


def test_ctrl_c_keeps_whole_batches_and_says_how_to_go_on(catalogue, run, monkeypatch, capsys):
    content = DRUGLIB_HEAD + "".join(review(number) for number in range(5))
    submit, calls = importing.submit, iter(range(5))

    def interrupted(**report):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return submit(**report)

    monkeypatch.setattr(importing, "batch_size", lambda: 2)
    monkeypatch.setattr(importing, "submit", interrupted)
    out = StringIO()
    Path("file").write_text(content)
    with pytest.raises(SystemExit) as stop:
        call_command("import_feedback", Path("file"), format="druglib", stdout=out)

    assert stop.value.code == 130
    assert out.getvalue().startswith("2 imported")
    assert "again to go on" in out.getvalue()
    assert Patient.objects.count() == Feedback.objects.count() == rolled_up() == 2

    monkeypatch.setattr(importing, "submit", submit)
    assert run(content, "druglib") == "3 imported, 2 already there, 0 rejected, 3 patients"


@pytest.mark.thorough
@pytest.mark.skipif(bool(os.environ.get("TEST_REDIS_URL")), reason="it makes a SQLite file of its own: once is enough")
def test_a_killed_import_is_finished_by_running_it_again(tmp_path):
    database, history = tmp_path / "clinic.sqlite3", tmp_path / "history.csv"
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(600)]
    rows = [f"P-{n % 40},,,,gout,ginger,{n % 5 + 1},3,,,,{day}\n" for n, day in enumerate(days)]
    history.write_text(CSV_HEAD + "".join(rows))
    environment = os.environ | {"DEBUG": "1", "DATABASE_URL": f"sqlite:///{database}", "REDIS_URL": ""}

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(MANAGE), *arguments]
        return subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE)

    def count(query: str = "SELECT count(*) FROM feedback_feedback") -> int:
        with sqlite3.connect(database, timeout=20) as connection:
            return connection.execute(query).fetchone()[0]

    prepare = "from django.core.management import call_command as c; c('migrate', verbosity=0); c('load_catalogue')"
    assert start("shell", "-v0", "-c", prepare).wait() == 0
    victim = start("import_feedback", str(history), "--format", "csv")
    while count() < 100 and victim.poll() is None:
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    victim.wait()

    survived = count()
    assert 100 <= survived < 600 and survived % 100 == 0
    rest = start("import_feedback", str(history), "--format", "csv")
    summary, _ = rest.communicate()
    assert rest.returncode == 0
    assert summary.decode().startswith(f"{600 - survived} imported, {survived} already there, 0 rejected")
    assert count() == count("SELECT count(DISTINCT client_id) FROM feedback_feedback") == 600
    assert count(f"SELECT sum(n) FROM analytics_effectivenessrollup WHERE kind = {Kind.EVERYTHING.value}") == 600
    assert count("SELECT count(*) FROM diagnoses_patient") == 40
    assert count("SELECT sum(head) FROM diagnoses_diagnosis") == 2 * 40 + 2 * 600
