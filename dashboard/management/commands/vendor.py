from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.vendoring import MANIFEST, Tampered, digest, fetch, folder_of, read_manifest, unpack


class Command(BaseCommand):
    help = (
        "Fetch the dashboard's libraries and font with npm, as dashboard/vendored.json names them. An archive with "
        "another SHA-256 than the recorded one is refused; for a new version empty its `sha256` first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("list", nargs="?", type=Path, default=MANIFEST, help="another list like vendored.json")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["list"]
        manifest = read_manifest(path)
        files = self._fetched(manifest)
        folder = folder_of(manifest, path)
        folder.mkdir(exist_ok=True)
        for leftover in {path.name for path in folder.iterdir()} - files.keys():
            (folder / leftover).unlink()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        manifest["sha256"] = {name: digest(data) for name, data in sorted(files.items())}
        path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        self.stdout.write(f"{len(files)} files of {len(manifest['packages'])} packages in {folder.name}/")

    def _fetched(self, manifest: dict[str, Any]) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        with tempfile.TemporaryDirectory(prefix="avicenna-vendor-") as folder:
            for package in manifest["packages"]:
                try:
                    archive = fetch(package, Path(folder))
                except Tampered as error:
                    raise CommandError(str(error)) from error
                files |= unpack(package, archive, manifest["imports"])
        return files
