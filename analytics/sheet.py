"""The paper that pictures are drawn on, as SVG.

A sheet of 360 units, the width of a phone, read from where the language starts: in Persian everything is mirrored, the
scale and the time as well. Letters are outlines, so that the picture looks the same on every machine; what it shows is
also said in words, in its <desc>.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

Language = Literal["fa", "en"]
Theme = Literal["light", "dark"]

WIDTH, MARGIN = 360, 20
THICK = 7  # of an interval

FONTS = Path(__file__).resolve().parent / "fonts"


@dataclass(frozen=True)
class Palette:
    """The colours of the dashboard. On `ground` text has at least 4.5:1, `band` and `accent` at least 3:1."""

    ground: str
    ink: str
    soft: str
    line: str
    accent: str
    band: str


PALETTES: dict[Theme, Palette] = {
    "light": Palette("#ffffff", "#1c2423", "#5a6563", "#e4e0d6", "#0b6e69", "#55a09a"),
    "dark": Palette("#1a211f", "#e8edeb", "#a3b0ad", "#2a3432", "#6fd0c7", "#38877f"),
}


class Sheet:
    """Paper of WIDTH × `height` units, y downwards; `start` and `end` are left and right unless it `is_mirrored`."""

    def __init__(self, height: float, palette: Palette, *, is_mirrored: bool) -> None:
        # Here and not above: loading matplotlib takes half a second, which only who draws should wait for.
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self.height, self.palette, self.is_mirrored = height, palette, is_mirrored
        self.figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor=palette.ground)
        across = Affine2D().scale(-1, -1).translate(WIDTH, 0) if is_mirrored else Affine2D().scale(1, -1)
        self.place = across.translate(0, height)

    def text(
        self, x: float, y: float, text: str, align: str = "start",
        *, size: float, is_bold: bool = False, is_soft: bool = False,
    ) -> None:  # fmt: skip
        """`y` is the line the letters stand on. matplotlib itself joins letters and orders mixed directions."""
        sides = {"middle": "center", "start": "left", "end": "right"}
        if self.is_mirrored:
            sides |= {"start": "right", "end": "left"}
        color = self.palette.soft if is_soft else self.palette.ink
        self.figure.text(
            x, y, text, transform=self.place, color=color, fontproperties=_font(is_bold), fontsize=size,
            horizontalalignment=sides[align], verticalalignment="baseline", parse_math=False,
        )  # fmt: skip

    def line(self, points: Sequence[tuple[float, float]], color: str, width: float, *, is_dashed: bool = False) -> None:
        from matplotlib.lines import Line2D

        xs, ys = zip(*points, strict=True)
        self.figure.add_artist(
            Line2D(
                xs, ys, transform=self.place, color=color, linewidth=width, solid_capstyle="round",
                linestyle=(0, (4, 4)) if is_dashed else "solid",
            )
        )  # fmt: skip

    def bar(self, low: float, high: float, y: float, color: str) -> None:
        """A thick line with round ends that reach no farther than `low` and `high`."""
        self.line([(low + THICK / 2, y), (max(low + THICK / 2, high - THICK / 2), y)], color, THICK)

    def dot(self, x: float, y: float, *, radius: float = 6) -> None:
        from matplotlib.patches import Circle

        edge, fill = self.palette.ground, self.palette.accent
        self.figure.add_artist(
            Circle((x, y), radius, transform=self.place, facecolor=fill, edgecolor=edge, linewidth=2, zorder=3)
        )

    def sprout(self, x: float, foot: float) -> None:
        """The leaves of the dashboard's icon, 41 units high."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path as Outline

        leaves = {
            self.palette.accent: [(0, -22), (-13, -23), (-18, -31), (-17, -41), (-6, -41), (0, -34), (0, -22)],
            self.palette.band: [(0, -10), (0, -21), (6, -28), (18, -28), (18, -17), (12, -10), (0, -10)],
        }
        self.line([(x, foot), (x, foot - 24)], self.palette.band, 3)
        for color, points in leaves.items():
            outline = Outline([(x + dx, foot + dy) for dx, dy in points], [Outline.MOVETO, *[Outline.CURVE4] * 6])
            self.figure.add_artist(PathPatch(outline, transform=self.place, facecolor=color, edgecolor="none"))

    def svg(self, title: str, description: str, language: Language) -> bytes:
        """With a head of our own: named for screen readers, in pixels, without matplotlib's outside addresses."""
        drawn = BytesIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        self.figure.savefig(drawn, format="svg", metadata=nothing)
        content = drawn.getvalue().decode()
        inside = content[content.index(">", content.index("<svg ")) + 1 :]
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{WIDTH}" height="{self.height}" viewBox="0 0 {WIDTH} {self.height}" lang="{language}" '
            f'role="img" aria-labelledby="title desc">\n'
            f'<title id="title">{escape(title)}</title>\n<desc id="desc">{escape(description)}</desc>'
        )
        return f'<?xml version="1.0" encoding="utf-8"?>\n{head}{inside}'.encode()


@cache
def _font(is_bold: bool) -> FontProperties:
    """The dashboard's, and for letters it lacks the one that comes with matplotlib: a bare machine has no fonts."""
    from matplotlib.font_manager import FontProperties, fontManager

    for file in FONTS.glob("*.ttf"):
        fontManager.addfont(file)
    return FontProperties(family=["Vazirmatn", "DejaVu Sans"], weight="bold" if is_bold else "normal")
