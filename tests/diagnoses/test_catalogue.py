from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from diagnoses.models import Condition, Remedy, SideEffect

CLINICAL = {"source", "confidence", "note"}


@pytest.fixture
def sourced(mint: Remedy) -> Remedy:
    mint.source, mint.confidence, mint.note = "Canon, book 2", "high", "contested by later authors"
    mint.save()
    return mint


def test_the_clinic_sees_where_a_degree_comes_from(api: Any, bob: Any, sam: Any, sourced: Remedy) -> None:
    for user in (bob, sam):
        for row in (
            api(user).get("/api/remedies/mint/").json(),
            api(user).get("/api/remedies/").json()["results"][0],
        ):
            assert row.items() >= {"source": "Canon, book 2", "confidence": "high", "warmth": 2}.items()
            assert row["note"] == "contested by later authors"


def test_a_patient_sees_the_remedy_without_it(api: Any, alice: Any, sourced: Remedy) -> None:
    for row in (
        api(alice).get("/api/remedies/mint/").json(),
        api(alice).get("/api/remedies/").json()["results"][0],
    ):
        assert row["slug"] == "mint" and not CLINICAL & set(row)


@pytest.mark.parametrize(("language", "name"), [("fa", "نعناع"), ("en", "Mint"), ("fa-IR", "نعناع"), ("de", "Mint")])
def test_a_name_is_in_the_callers_language(api: Any, alice: Any, mint: Any, language: str, name: str) -> None:
    row = api(alice, accept_language=language).get("/api/remedies/mint/").json()

    assert (row["name"], row["name_en"], row["name_fa"]) == (name, "Mint", "نعناع")


@pytest.mark.parametrize("q", ["نعنا", "MINT", "int", "mint"])
def test_a_term_is_found_in_either_language(api: Any, alice: Any, mint: Any, violet: Any, q: str) -> None:
    found = api(alice).get("/api/remedies/", {"q": q}).json()["results"]

    assert [row["slug"] for row in found] == ["mint"]


@pytest.mark.parametrize("q", ["بی‌خوابی", "بیخوابی", "بی خوابی", "بيخوابي", "خوابی"])
def test_persian_is_found_however_it_is_joined_and_typed(
    api: Any, alice: Any, headache: Any, other_diagnosis: Any, q: str
) -> None:
    found = api(alice).get("/api/conditions/", {"q": q}).json()["results"]

    assert [row["slug"] for row in found] == ["insomnia"]


@pytest.mark.parametrize("q", ["%", "_", "\\", "'", '"'])
def test_a_search_means_its_characters(api: Any, alice: Any, mint: Any, q: str) -> None:
    assert api(alice).get("/api/remedies/", {"q": q}).json()["results"] == []


def test_filters_narrow_each_list(api: Any, alice: Any, mint: Any, nausea: Any, headache: Any) -> None:
    Remedy.objects.create(slug="walk", name_en="Walk", name_fa="پیاده‌روی", kind="lifestyle", is_active=False)
    Condition.objects.create(slug="acne", name_en="Acne", name_fa="آکنه", category="skin")
    SideEffect.objects.create(slug="rash", name_en="Rash", name_fa="بثورات", body_system="skin")

    def found(query: str) -> list[str]:
        return [row["slug"] for row in api(alice).get(f"/api/{query}").json()["results"]]

    assert found("remedies/?kind=lifestyle") == found("remedies/?is_active=false") == ["walk"]
    assert found("remedies/?is_active=true") == ["mint"]
    assert (found("conditions/?category=skin"), found("side-effects/?body_system=skin")) == (["acne"], ["rash"])


@pytest.mark.parametrize(("path", "model"), [
    ("/api/conditions/", Condition), ("/api/remedies/", Remedy), ("/api/side-effects/", SideEffect),
])  # fmt: skip
def test_pages_are_in_the_order_of_the_slug(api: Any, alice: Any, path: str, model: Any) -> None:
    for slug in "edbac":
        model.objects.create(slug=slug, name_en="Same", name_fa="همان")

    pages = [api(alice).get(f"{path}?page_size=2&page={page}").json()["results"] for page in (1, 2, 3)]

    assert "".join(row["slug"] for page in pages for row in page) == "abcde"


@pytest.mark.parametrize(("path", "model"), [
    ("/api/conditions/", Condition), ("/api/remedies/", Remedy), ("/api/side-effects/", SideEffect),
])  # fmt: skip
def test_a_list_asks_the_database_as_often_for_many(api: Any, alice: Any, path: str, model: Any) -> None:
    client, asked = api(alice), []
    for slugs in ("ab", "cdefghijkl"):
        for slug in slugs:
            model.objects.create(slug=slug, name_en="Same", name_fa="همان")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).json()["count"] in (2, 12)
        asked.append(len(queries))

    assert asked == [2, 2]  # session, rows


@pytest.mark.parametrize(("size", "queries", "has_more"), [(3, 2, False), (2, 3, True)])
def test_only_what_does_not_fit_on_the_first_page_is_counted(
    api: Any, alice: Any, django_assert_num_queries: Any, size: int, queries: int, has_more: bool
) -> None:
    for slug in "abc":
        Remedy.objects.create(slug=slug, name_en="Same", name_fa="همان")
    client = api(alice)

    with django_assert_num_queries(queries):  # session, rows, count
        answer = client.get("/api/remedies/", {"page_size": size}).json()

    assert (answer["count"], len(answer["results"]), answer["next"] is not None) == (3, size, has_more)


def test_an_unknown_slug_is_not_found(api: Any, alice: Any, mint: Any) -> None:
    for path in ("/api/remedies/none/", "/api/conditions/none/", "/api/side-effects/none/", "/api/remedies/MINT/"):
        assert api(alice).get(path).status_code == 404
