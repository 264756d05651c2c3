"""The calibration picture and the admin's page of a model: what they show, in which words, and to whom."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import unescape
from typing import Any, Literal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.sheet import PALETTES
from diagnoses.actions import create_patient, recommend, record_diagnosis
from predictions import accuracy
from predictions.matching import match
from predictions.models import PredictionModel
from tests.predictions.showing import report, show
from tests.predictions.test_matching import LONG_AGO

CHART = "/api/predictions/accuracy/chart.svg"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    accuracy._remembered.cache_clear()
    yield
    accuracy._remembered.cache_clear()


@pytest.fixture
def outcomes(bob: Any, headache: Any, mint: Any) -> None:
    """Thirty patients were told 40 to 69 % by version 3; half of them were helped."""
    for number in range(30):
        patient = create_patient(actor=None, full_name="P", care_team=[bob], sex="female" if number % 3 else "male")
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        one = recommend(actor=bob, diagnosis=diagnosis, remedy=mint)
        show(one, 0.4 + number / 100, version=3)
        report(one, 5 if number % 2 else 1)
    match(LONG_AGO)


@pytest.fixture
def model(db: None) -> PredictionModel:
    metrics: Any = {
        "model": {"auc": 0.61, "brier": 0.21, "log_loss": 0.6, "calibration_error": 0.03},
        "fixed_formula": {"auc": None, "brier": 0.25, "log_loss": 0.7, "calibration_error": 0.05},
    }
    return PredictionModel.objects.create(
        version=3, training_size=900, holdout_size=100, metrics=metrics, scales={"remedy": 0.5}
    )


def words(answer: Any) -> list[str]:
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml"), answer.content
    return (ET.fromstring(answer.content).findtext(f"{SVG}desc") or "").split("\n")  # noqa: S314  # ours


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "fa"])
def test_it_is_drawn_and_told_in_both_languages(
    api: Any, sam: Any, outcomes: None, lang: str, theme: Literal["light", "dark"]
) -> None:
    answer = api(sam).get(CHART, {"lang": lang, "theme": theme, "version": 3})

    said = words(answer)
    counts = {"en": ["30", "30"], "fa": ["۳۰", "۳۰"]}[lang]
    assert re.findall(r"\d+", said[2]) == counts
    assert len(said) == 5 + 10  # the figures, and a line for each bin
    assert bool(re.search("[A-Za-z0-9]", "".join(said).replace("AUC", ""))) == (lang == "en")
    assert PALETTES[theme].ground in answer.content.decode()
    assert answer["Cache-Control"] == "private, max-age=60" and answer["Content-Language"] == lang


def test_its_words_are_the_figures(api: Any, sam: Any, outcomes: None) -> None:
    found = api(sam).get("/api/predictions/accuracy").json()["overall"]

    said = words(api(sam).get(CHART, {"lang": "en"}))

    error, chance = (round(100 * found[name]) for name in ("calibration_error", "calibration_error_by_chance"))
    assert said[0] == "Too few reports to judge the calibration."
    assert said[1] == f"Off by {error}% on average; chance alone would show {chance}%"
    first = found["bins"][0]
    assert said[5].startswith(
        f"predicted {round(100 * first['predicted'])}% · happened {round(100 * first['observed'])}% ("
    )


def test_nothing_yet_has_a_picture_too(api: Any, sam: Any, outcomes: None) -> None:
    assert words(api(sam).get(CHART, {"version": 9})) == ["Nobody has reported on a shown prediction yet."]
    assert api(sam).get(CHART, {"months": 99}).status_code == 400


@pytest.fixture
def page(client: Any, sam: Any) -> Any:
    client.force_login(sam)
    return lambda path, **headers: client.get(f"/admin/predictions/{path}", **headers)


@pytest.mark.parametrize("language", ["en", "fa"])
def test_staff_reads_how_good_a_model_is(page: Any, outcomes: None, model: PredictionModel, language: str) -> None:
    shown = page(f"predictionmodel/{model.pk}/change/", HTTP_ACCEPT_LANGUAGE=language).content.decode()

    figures = {"en": ["0.6100", "0.2500", "not known"], "fa": ["۰٫۶۱۰۰", "۰٫۲۵۰۰", "نامعلوم"]}[language]
    assert all(figure in shown for figure in figures)
    pictures = re.findall(r'<img class="picture (\w+)" src="([^"]+)"', shown)
    assert [theme for theme, _ in pictures] == ["light", "dark"]
    thirty = {"en": "30", "fa": "۳۰"}[language]
    for _theme, address in pictures:
        said = words(page(unescape(address).removeprefix("/admin/predictions/")))
        assert said[2].count(thirty) == 2


def test_only_staff_is_given_the_picture_of_the_admin(client: Any, bob: Any, model: PredictionModel) -> None:
    client.force_login(bob)

    assert client.get(f"/admin/predictions/predictionmodel/{model.pk}/calibration.svg").status_code == 302
    assert client.get("/admin/predictions/predictionmodel/0/calibration.svg").status_code == 302


def test_the_list_of_what_was_shown_costs_the_same_for_many(page: Any, recommendation: Any, outcomes: None) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert page(path).status_code == 200
        return len(asked)

    queries("predictionrecord/")  # the first visit also signs in
    assert queries("predictionrecord/?version=0") == queries("predictionrecord/?version=3")
    assert "Mint" in page("predictionrecord/?reported_at__isempty=0").content.decode()
    assert re.search(r"\b0\s+shown predictions", page("predictionrecord/?reported_at__isempty=1").content.decode())
