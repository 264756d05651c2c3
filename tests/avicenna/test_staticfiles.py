from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

from django.core.files.storage import storages
from django.core.management import call_command

from dashboard.shell import MODULES, STATIC, STYLES

OTHERS = ["admin", "drf_spectacular_sidecar", "rest_framework"]


def test_modules_import_each_other_by_their_hashed_names(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "avicenna.staticfiles.HashedStaticFiles"}}

    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=OTHERS)

    modules = [str(path.relative_to(STATIC)) for path in STATIC.rglob("*.js")]
    renamed = {storages["staticfiles"].stored_name(name) for name in modules}
    for name in renamed:
        module = tmp_path / name
        imported = re.findall(r'(?:from|import)\s*\(?"(\.[^"]+)"', module.read_text(encoding="utf-8"))
        assert all(re.search(r"\.[0-9a-f]{12}\.js$", path) and (module.parent / path).exists() for path in imported), (
            name
        )


def test_the_first_visit_is_small() -> None:
    """What the page asks for before it can be used, compressed, without the font."""
    sent = [*STYLES, *MODULES, "dashboard/first.js", "dashboard/icon.svg"]
    size = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in sent)

    assert size <= 150 * 1024
