"""Alerts and dashboards as files: what Prometheus's own tool and Grafana's own types say of them."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS, GRAFANA = ROOT / "docker/prometheus", ROOT / "docker/grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool on this machine")


@needs_promtool
def test_each_alert_goes_off_when_it_should_and_not_before() -> None:
    tests = sorted(file.name for file in PROMETHEUS.glob("*_test.yml"))
    said = subprocess.run(["promtool", "test", "rules", *tests], cwd=PROMETHEUS, capture_output=True, text=True)

    assert said.returncode == 0, said.stdout + said.stderr


@needs_promtool
def test_the_configuration_is_valid(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "rules.yml"):
        shutil.copy(PROMETHEUS / name, tmp_path)
    (tmp_path / "metrics_token").touch()
    (tmp_path / "targets.json").write_text("[]")
    command = ["promtool", "check", "config", "prometheus.yml"]

    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


def test_each_alert_is_tested_and_says_what_to_do() -> None:
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    tested = "".join(file.read_text() for file in PROMETHEUS.glob("*_test.yml"))

    assert [rule["alert"] for rule in rules if f"alertname: {rule['alert']}\n" not in tested] == []
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in rules)
    assert {rule["labels"]["severity"] for rule in rules} == {"critical", "warning"}


def panels(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["panels"]
    return found


def test_there_is_a_dashboard_for_each_part() -> None:
    assert [file.stem for file in DASHBOARDS] == ["analytics", "feedback", "predictions", "realtime", "system"]


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_each_panel_says_what_it_shows_in_which_unit(file: Path) -> None:
    for panel in panels(file):
        shown = panel["fieldConfig"]["defaults"]
        assert panel["title"] and panel["description"].endswith(".") and shown["unit"], panel
        assert panel["targets"] and all(target["expr"] and target["legendFormat"] for target in panel["targets"])
        assert shown["thresholds"]["steps"][0]["value"] is None
        assert panel["datasource"]["uid"] == "prometheus"


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_no_panel_lies_on_another(file: Path) -> None:
    places = [panel["gridPos"] for panel in panels(file)]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(cells) == len(set(cells))
    assert all(at["x"] + at["w"] <= 24 for at in places)


def test_the_files_are_what_grafanas_builders_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make dashboards` was run."""
    pytest.importorskip("grafana_foundation_sdk")
    monkeypatch.syspath_prepend(str(GRAFANA))
    made = runpy.run_path(str(GRAFANA / "build.py"))

    for name, (description, its_panels) in made["DASHBOARDS"].items():
        assert (GRAFANA / f"dashboards/{name}.json").read_text() == made["build"](name, description, its_panels)
