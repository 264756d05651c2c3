"""The libraries and the font the dashboard brings along: what they are, where they came from, and their exact bytes.

`vendored.json` names packages of the npm registry with version and the SHA-256 of their archive, which of their files
go where, and the SHA-256 of each file as it lies in `static/dashboard/vendor/`. Nothing is built: bare imports become
relative ones, because a page with a strict policy may not carry an import map inside itself.
"""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "vendored.json"
VENDOR = HERE / "static/dashboard/vendor"


class Tampered(Exception):
    """An archive is not the one that was recorded."""


def read_manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return manifest


def fetch(package: dict[str, Any], folder: Path) -> Path:
    """The package's archive as npm delivers it, from whichever registry npm is set to. Raises `Tampered`."""
    command = ["npm", "pack", "--silent", f"{package['name']}@{package['version']}"]
    printed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout  # noqa: S603  # no shell
    archive = folder / printed.split()[-1]
    found = digest(archive.read_bytes())
    if package["sha256"] and found != package["sha256"]:
        raise Tampered(f"{package['name']} {package['version']}: {found} instead of {package['sha256']}")
    package["sha256"] = found
    return archive


def unpack(package: dict[str, Any], archive: Path, imports: dict[str, str]) -> dict[str, bytes]:
    """The files of a package under the names they get here."""
    with tarfile.open(archive) as tar:
        given = {name: _member(tar, f"package/{source}") for source, name in package["files"].items()}
    return {name: _rewritten(data, imports) if name.endswith(".js") else data for name, data in given.items()}


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise FileNotFoundError(name)
    return file.read()


def _rewritten(data: bytes, imports: dict[str, str]) -> bytes:
    """With relative imports and without the address of a source map that is not here. Raises KeyError when unknown."""
    code = re.sub(r"\s*//# sourceMappingURL=\S+", "", data.decode())
    code = re.sub(r'\bfrom"([^".][^"]*)"', lambda match: f'from"{imports[match[1]]}"', code)
    return f"{code.rstrip()}\n".encode()
