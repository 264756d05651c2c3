"""The kinds of panels our dashboards have, made with Grafana's own builders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphGradientMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")
GREEN, ORANGE, RED = "green", "orange", "red"
# The value from which a colour holds; the first holds below.
Steps = Sequence[tuple[float | None, str]]
PLAIN: Steps = ((None, "blue"),)
Words = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Query:
    """`legend` may name labels, `{{status}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """`unit` is one of Grafana's; `words` say a value by its name, in a colour."""

    kind: Literal["number", "lines", "bars", "areas"]
    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    steps: Steps = PLAIN
    words: Words | None = None
    most: float | None = None

    def build(self) -> Any:
        made = {"number": _number, "lines": _lines, "areas": _areas, "bars": _bars}[self.kind](self)
        made = made.title(self.title).description(self.description).unit(self.unit).datasource(SOURCE).min(0)
        if self.most is not None:
            made = made.max(self.most)
        for letter, query in zip("ABCDEFGH", self.queries, strict=False):
            target = prometheus.Dataquery().ref_id(letter).expr(query.expr).legend_format(query.legend or "__auto")
            made = made.with_target(target if self.kind in ("lines", "areas") else target.instant())
        thresholds = [Threshold(value=value, color=color) for value, color in self.steps]
        return made.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(thresholds))


def number(
    title: str, description: str, unit: str, expr: str, steps: Steps = PLAIN, words: Words | None = None
) -> Panel:
    return Panel("number", title, description, unit, [Query(expr)], steps, words)


def lines(title: str, description: str, unit: str, *queries: Query, limit: float | None = None) -> Panel:
    """`limit` is drawn: the alert's, or what was asked for."""
    return Panel("lines", title, description, unit, queries, [(None, GREEN), (limit, RED)] if limit else PLAIN)


def areas(title: str, description: str, unit: str, *queries: Query) -> Panel:
    """Parts of a whole, one on the other."""
    return Panel("areas", title, description, unit, queries)


def bars(title: str, description: str, unit: str, query: Query, steps: Steps = PLAIN) -> Panel:
    return Panel("bars", title, description, unit, [query], steps)


def _number(panel: Panel) -> Any:
    newest = common.ReduceDataOptions().calcs(["lastNotNull"])
    made = stat.Panel().height(4).span(4).color_mode(BigValueColorMode.BACKGROUND).graph_mode(BigValueGraphMode.NONE)
    made = made.reduce_options(newest).no_value("–")
    if panel.words:
        results = {value: ValueMappingResult(text=text, color=color) for value, (text, color) in panel.words.items()}
        made = made.mappings([ValueMap(options=results)])
    return made


def _lines(panel: Panel) -> Any:
    table = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.BOTTOM)
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    made = timeseries.Panel().height(8).span(12).line_width(2).fill_opacity(8).show_points(VisibilityMode.NEVER)
    made = made.line_interpolation(LineInterpolation.SMOOTH).gradient_mode(GraphGradientMode.OPACITY)
    made = made.legend(table.show_legend(True).calcs(["lastNotNull", "max"])).tooltip(tooltip)
    if panel.steps is not PLAIN:
        dashed = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        made = made.thresholds_style(dashed)
    return made


def _areas(panel: Panel) -> Any:
    stacked = common.StackingConfig().mode(StackingMode.NORMAL).group("A")
    return _lines(panel).stacking(stacked).fill_opacity(45).line_width(1)


def _bars(panel: Panel) -> Any:
    newest = common.ReduceDataOptions().calcs(["lastNotNull"])
    return bargauge.Panel().height(8).span(12).orientation(VizOrientation.HORIZONTAL).reduce_options(newest)
