"""The libraries and the font the dashboard brings along: what they are, where they came from, and their exact bytes.

`vendored.json` names packages of the npm registry with version and the SHA-256 of their archive, which of their files
go where, and the SHA-256 of each file as it lies in its `folder`. Nothing is built: bare imports become relative ones,
because a page with a strict policy may not carry an import map inside itself, and of a font only what the page uses
is kept (`subset`).
"""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from dashboard.fonts import subset

MANIFEST = Path(__file__).resolve().parent / "vendored.json"


class Tampered(Exception):
    """An archive is not the one that was recorded."""


def read_manifest(path: Path = MANIFEST) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def folder_of(manifest: dict[str, Any], path: Path = MANIFEST) -> Path:
    """Where the files of the manifest at `path` lie."""
    return path.resolve().parent / str(manifest["folder"])


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
    """The files of a package under the names they get here; without `imports` nothing is a module that has some."""
    with tarfile.open(archive) as tar:
        given = {name: _member(tar, f"package/{source}") for source, name in package["files"].items()}
    for name, kept in package.get("subset", {}).items():
        given[name] = subset(given[name], **kept)
    modules = [name for name in given if imports and name.endswith(".js")]
    return given | {name: _rewritten(given[name], imports) for name in modules}


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
