from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.core.files.storage import storages
from django.core.management import call_command


def test_modules_import_each_other_by_their_hashed_names(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "avicenna.staticfiles.HashedStaticFiles"}}

    call_command("collectstatic", interactive=False, verbosity=0)

    app = (tmp_path / storages["staticfiles"].stored_name("dashboard/app.js")).read_text()
    imported = re.findall(r'from "\./([^"]+)"', app)
    assert imported
    assert all(
        re.search(r"\.[0-9a-f]{12}\.js$", name) and (tmp_path / "dashboard" / name).exists() for name in imported
    )
