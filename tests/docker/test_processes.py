"""supervisor's configuration and systemd's units hold the same processes, and systemd understands its own."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.run import ROOT

UNITS = ROOT / "docker" / "systemd"
SUPERVISORD = ROOT / "docker" / "supervisor" / "supervisord.conf"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units, with this checkout in the place of the release."""
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/srv/avicenna/current", str(ROOT))
        (tmp_path / unit.name).write_text(text)
    return tmp_path


def verify(*units: Path) -> str:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze on this machine")
    done = subprocess.run(["systemd-analyze", "verify", *map(str, units)], text=True, capture_output=True)
    return done.stdout + done.stderr


def test_systemd_understands_every_unit(installed: Path) -> None:
    units = [unit.with_name(unit.name.replace("@", "@1")) for unit in installed.iterdir()]

    assert verify(*units) == ""


def test_it_would_say_so_otherwise(installed: Path) -> None:
    unit = installed / "avicenna-worker.service"
    unit.write_text(unit.read_text().replace("Restart=always", "Restart=perhaps\nNoSuchThing=1"))

    assert "perhaps" in verify(unit) and "NoSuchThing" in verify(unit)


@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda unit: unit.name)
def test_every_service_is_shut_in(unit: Path) -> None:
    lines = unit.read_text().splitlines()

    assert {"User=avicenna", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet="} <= set(lines)


def test_both_start_the_same() -> None:
    supervisor = configparser.RawConfigParser()
    supervisor.read(SUPERVISORD)
    ours = {name.partition(":")[2]: part["command"] for name, part in supervisor.items() if "command" in part}
    units = {
        unit.stem.removeprefix("avicenna-").rstrip("@"): unit.read_text()
        for unit in UNITS.glob("*.service")
        if "nightly" not in unit.name
    }

    assert set(ours) == set(units) == {"rest", "sockets", "worker"}
    for name, words in {
        "rest": "-m gunicorn --config docker/gunicorn.conf.py",
        "sockets": "-m avicenna.sockets",
        "worker": "manage.py worker",
    }.items():
        assert words in ours[name] and words in units[name]
