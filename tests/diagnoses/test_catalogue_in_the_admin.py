"""The catalogue's files in the admin: out, looked at, in."""

from __future__ import annotations

import csv
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from diagnoses.models import Remedy, SideEffect

ADDRESS = "/admin/diagnoses/sideeffect/"
HEAD = "slug,name_en,name_fa,body_system\n"


@pytest.fixture
def staff(client: Client, sam: Any) -> Client:
    client.force_login(sam)
    return client


def upload(client: Client, text: str, **headers: Any) -> Any:
    file = SimpleUploadedFile("any.csv", text.encode())
    return client.post(f"{ADDRESS}import/", {"file": file}, **headers)


def confirm(client: Client, shown: Any) -> Any:
    return client.post(f"{ADDRESS}import/", {"text": shown.context["text"]})


def test_what_changes_is_seen_before_it_is_written(staff: Client, nausea: SideEffect) -> None:
    shown = upload(staff, HEAD + "nausea,Queasiness,تهوع,gut\nitching,Itching,خارش,skin\n")

    page = unescape(shown.content.decode())
    assert "<del>Nausea</del>" in page and "Queasiness</ins>" in page and "itching" in page
    assert list(SideEffect.objects.values_list("name_en", flat=True)) == ["Nausea"]

    assert confirm(staff, shown).status_code == 302
    assert set(SideEffect.objects.values_list("slug", "name_en")) == {("nausea", "Queasiness"), ("itching", "Itching")}


def test_every_wrong_line_is_named_in_the_readers_language_and_nothing_written(
    staff: Client, nausea: SideEffect
) -> None:
    wrong = HEAD + "nausea,Queasiness,تهوع,gut\nno slug,A,الف,skin\nnausea,B,ب,skin\n"

    page = unescape(upload(staff, wrong, HTTP_ACCEPT_LANGUAGE="fa").content.decode())

    assert "<td>3</td>" in page and "<td>4</td>" in page and "پیش‌تر در سطر 2 آمده است" in page
    assert staff.post(f"{ADDRESS}import/", {"text": wrong}).status_code == 200  # nor when nobody looked first
    assert list(SideEffect.objects.values_list("name_en", flat=True)) == ["Nausea"]


@pytest.mark.parametrize("text", ["", "\x00", "slug\nx\n", HEAD + '"\n', HEAD + "a,b\n"])
def test_another_file_is_refused_in_words(staff: Client, text: str) -> None:
    assert upload(staff, text).status_code == 200
    assert not SideEffect.objects.exists()


def test_what_comes_out_goes_in_again(staff: Client, mint: Remedy, violet: Remedy) -> None:
    Remedy.objects.filter(pk=mint.pk).update(note="=1+1", source="-see there", scientific_name="'quoted'")
    answer = staff.get("/admin/diagnoses/remedy/export/")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]

    row = next(csv.DictReader(StringIO(text)))
    assert (row["note"], row["source"], row["moisture"]) == ("'=1+1", "'-see there", "-2")  # no spreadsheet runs it
    file = SimpleUploadedFile("remedies.csv", text.encode())
    shown = staff.post("/admin/diagnoses/remedy/import/", {"file": file})
    assert (shown.context["loaded"].created, shown.context["loaded"].changed) == (0, 0)


@pytest.mark.parametrize("path", ["import/", "export/"])
def test_nobody_else_opens_it(client: Client, bob: Any, alice: Any, path: str) -> None:
    for user in (bob, alice):
        client.force_login(user)
        assert client.get(f"{ADDRESS}{path}").status_code == 302


def test_the_reception_gets_no_file_with_what_it_may_not_see(client: Client, db: None, mint: Remedy) -> None:
    client.force_login(User.objects.create(email="rae@clinic.example", role="reception", password="!"))

    assert client.get("/admin/diagnoses/remedy/").status_code == 200
    assert [client.get(f"/admin/diagnoses/remedy/{path}/").status_code for path in ("export", "import")] == [403, 403]


@pytest.mark.parametrize("role", ["reception", "operator"])
def test_a_first_page_without_figures_is_the_menu(client: Client, db: None, role: str) -> None:
    client.force_login(User.objects.create(email="rae@clinic.example", role=role, password="!"))

    shown = client.get("/admin/").content.decode()
    assert 'class="glance' not in shown and shown.count("/admin/diagnoses/remedy/") >= 2
    assert client.get("/admin/feedback/feedback/export/").status_code == 403


def test_many_terms_are_retired_and_taken_into_use_again(staff: Client, mint: Remedy, violet: Remedy) -> None:
    chosen = {"_selected_action": [mint.pk, violet.pk]}

    staff.post("/admin/diagnoses/remedy/", {"action": "retire"} | chosen)
    assert not Remedy.objects.active().exists()
    staff.post("/admin/diagnoses/remedy/", {"action": "take_into_use"} | chosen)
    assert Remedy.objects.active().count() == 2
