"""What the dashboard is made of, and what a device keeps of it to open it without a network."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.utils.translation import gettext, override

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
WORKER = HERE / "sw.js"
PAGE = HERE / "templates/dashboard/index.html"

# The order of the cascade.
STYLES = [f"dashboard/styles/{name}.css" for name in ("tokens", "base", "controls", "frame", "parts", "screens")]
FIRST = "dashboard/first.js"
# Folders of what is fetched when somebody opens it: the first visit does without.
LATER = {"access", "clinic", "history"}
ALL_MODULES = sorted(
    str(path.relative_to(STATIC))
    for path in STATIC.rglob("*.js")
    if path.name != "first.js"  # a script
)
# Named in the page, so that the browser asks for all at once and not for each when another has named it.
MODULES = [name for name in ALL_MODULES if Path(name).parent.name not in LATER]
FONT = "dashboard/vendor/vazirmatn.woff2"
ICON = "dashboard/icon.svg"
FILES = [FIRST, *STYLES, *ALL_MODULES, FONT, ICON]
# `purpose: maskable` is cut by the device to the shape of its icons.
ICONS = [
    {"name": ICON, "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
    {"name": "dashboard/icons/icon-192.png", "sizes": "192x192", "type": "image/png", "purpose": "any"},
    {"name": "dashboard/icons/icon-512.png", "sizes": "512x512", "type": "image/png", "purpose": "any"},
    {"name": "dashboard/icons/maskable-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
]
# Those of styles/tokens.css: `--ground` in the light theme.
GROUND = "#f5f2eb"


def service_worker() -> str:
    """The worker's code, with the version and the addresses of the shell in front: other files make another worker."""
    # A module names its picture beside itself: by its name without a hash, also where the others have one.
    addresses = [*map(static, FILES), f"/{settings.STATIC_URL.lstrip('/')}{ICON}"]
    shell = {"version": version(), "files": list(dict.fromkeys(addresses)), "icon": static(ICONS[1]["name"])}
    return f"const SHELL = {json.dumps(shell)};\n{WORKER.read_text(encoding='utf-8')}"


def version() -> str:
    """A digest of all that a device keeps."""
    return _digest() if settings.DEBUG else _digest_of_deployment()


@cache
def _digest_of_deployment() -> str:
    return _digest()


def _digest() -> str:
    digest = sha256(str(settings.DEBUG).encode())  # the page tells the demonstration clinic apart
    for path in [WORKER, PAGE, *(STATIC / name for name in FILES)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def manifest(language: str) -> dict[str, Any]:
    """How the app is called and looks when it is installed (https://www.w3.org/TR/appmanifest/)."""
    icons = [{"src": static(icon["name"]), **{key: icon[key] for key in icon if key != "name"}} for icon in ICONS]
    with override(language):
        return {
            "id": "/",
            "name": gettext("Avicenna"),
            "short_name": gettext("Avicenna"),
            "description": gettext("Your treatment, and how well it works"),
            "lang": language,
            "dir": "rtl" if language == "fa" else "ltr",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": GROUND,
            "theme_color": GROUND,
            "categories": ["health", "medical"],
            "icons": icons,
            "shortcuts": [
                {"name": gettext("Due today"), "url": "/#/", "icons": icons[1:2]},
                {"name": gettext("Profile"), "url": "/#/profile", "icons": icons[1:2]},
            ],
        }
