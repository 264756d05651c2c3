"""Writes dashboards/*.json, which Grafana reads: `make dashboards`. One look at a dashboard's first row must tell.

Every number has the alert's limit as its red, and half of it or so as its orange.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType
from panels import GREEN, ORANGE, RED, Panel, Query, areas, bars, lines, number

FOLDER = Path(__file__).parent / "dashboards"
RATE = "$__rate_interval"
AWAY = {"0": ("away", RED), "1": ("answers", GREEN)}
UP = [(None, RED), (1, GREEN)]


def quantile(share: float, histogram: str, labels: str = "", by: str = "le") -> str:
    return f"histogram_quantile({share}, sum by ({by}) (rate({histogram}_bucket{{{labels}}}[{RATE}])))"


def quantiles(histogram: str, labels: str = "") -> list[Query]:
    shares = {0.5: "half are faster", 0.95: "19 of 20 are faster", 0.99: "99 of 100 are faster"}
    return [Query(quantile(share, histogram, labels), words) for share, words in shares.items()]


def rate(counter: str, labels: str = "", by: str = "") -> str:
    return f"sum {f'by ({by}) ' if by else ''}(rate({counter}{{{labels}}}[{RATE}]))"


def raised(counter: str, labels: str, over: str) -> str:
    return f"sum(increase({counter}{{{labels}}}[{over}]))"


RESPONSES, LATENCY = (
    "django_http_responses_total_by_status_total",
    "django_http_requests_latency_seconds_by_view_method",
)
BY_VIEW = "django_http_responses_total_by_status_view_method_total"
FAILED = f"(sum(rate({RESPONSES}{{status=~'5..'}}[{RATE}])) or vector(0)) / sum(rate({RESPONSES}[{RATE}]))"
DAY = 86_400

SYSTEM = [
    number("Processes down", "Programs that Prometheus cannot reach.", "none", "count(up == 0) or vector(0)",
           [(None, GREEN), (1, RED)]),
    number("PostgreSQL", "As the server that fares worst finds it.", "none",
           "min(health_part_up{part='database'})", UP, AWAY),
    number("Redis", "As the server that fares worst finds it.", "none", "min(health_part_up{part='cache'})", UP, AWAY),
    number("Requests that fail", "Answered with 5xx.", "percentunit", FAILED,
           [(None, GREEN), (0.001, ORANGE), (0.01, RED)]),
    number("19 of 20 requests take at most", "Of all views together.", "s", quantile(0.95, LATENCY),
           [(None, GREEN), (0.3, ORANGE), (1, RED)]),
    number("Requests", "Of all programs together.", "reqps", f"sum(rate({RESPONSES}[{RATE}]))"),
    number("Disk free", "Of the watched folder that has least.", "percentunit", "min(disk_free_bytes / disk_size_bytes)",
           [(None, RED), (0.1, ORANGE), (0.2, GREEN)]),
    number("Certificate ends in", "The one that ends first.", "dtdurations",
           "min(certificate_expires_timestamp_seconds) - time()", [(None, RED), (14 * DAY, ORANGE), (25 * DAY, GREEN)]),
    number("Newest backup", "How long ago the last one succeeded.", "dtdurations",
           "time() - max(backup_last_success_timestamp_seconds)", [(None, GREEN), (25 * 3600, ORANGE), (26 * 3600, RED)]),
    number("Work overdue by", "What is done beside requests and waits longest, beyond its own pace.", "s",
           "max(clamp_min(time() - max by (work) (work_done_timestamp_seconds) - max by (work) (work_period_seconds), 0))",
           [(None, GREEN), (30, ORANGE), (60, RED)]),
    number("Wait for a connection", "Requests that found the pool empty, now.", "none", "sum(database_pool_waiting)",
           [(None, GREEN), (1, ORANGE), (5, RED)]),
    number("Rounds that failed", "Of work beside requests, in the last hour; each is tried again.", "none",
           f"{raised('work_failures_total', '', '1h')} or vector(0)", [(None, GREEN), (1, ORANGE), (30, RED)]),
    areas("Requests by what they were answered", "4xx is the caller's doing, 5xx ours.", "reqps",
          Query(rate(RESPONSES, by="status"), "{{status}}")),
    lines("How long requests take", "All views together.", "s", *quantiles(LATENCY), limit=1),
    lines("The slowest views", "What 19 of 20 requests stay under, for the eight slowest.", "s",
          Query(f"topk(8, {quantile(0.95, LATENCY, by='le, view')})", "{{view}}")),
    lines("The busiest views", "The eight that are asked most.", "reqps",
          Query(f"topk(8, {rate(BY_VIEW, by='view')})", "{{view}}")),
    areas("Connections to PostgreSQL", "Of the pools of all socket servers. gunicorn's workers hold one each besides.", "none",
          Query("sum by (state) (database_pool_connections)", "{{state}}")),
    lines("How fast the parts answer", "Asked by every process whenever it is scraped; the slowest answer.", "s",
          Query("max by (part) (health_part_seconds)", "{{part}}")),
    lines("Memory", "Resident, by process. gunicorn's workers do not tell.", "bytes",
          Query("process_resident_memory_bytes", "{{process}}")),
    lines("Processor", "Cores in use, by process. gunicorn's workers do not tell.", "none",
          Query(f"rate(process_cpu_seconds_total[{RATE}])", "{{process}}")),
    lines("Work beside requests", "How long 19 of 20 rounds stay under, by what they do.", "s",
          Query(quantile(0.95, "work_duration_seconds", by="le, work"), "{{work}}")),
    lines("Disk free", "By watched folder.", "bytes", Query("min by (folder) (disk_free_bytes)", "{{folder}}")),
]  # fmt: skip

DELIVERY = "realtime_delivery_seconds"
REALTIME = [
    number("Open sockets", "Of all processes together.", "none", "sum(websocket_connections_active) or vector(0)"),
    number("Diagnoses watched", "With at least one socket.", "none",
           "count(count by (diagnosis_id) (websocket_connections_active)) or vector(0)"),
    number("19 of 20 events arrive within", "From their commit to the socket servers.", "s", quantile(0.95, DELIVERY),
           [(None, GREEN), (0.1, ORANGE), (0.25, RED)]),
    number("Hints lost", "Events that came by the regular check only, in the last quarter of an hour. None is lost.", "none",
           raised("realtime_healed_gaps_total", "", "15m"), [(None, GREEN), (1, ORANGE), (6, RED)]),
    number("Too slow", "Sockets closed because they did not read, in the last quarter of an hour.", "none",
           raised("realtime_slow_consumers_total", "", "15m"), [(None, GREEN), (5, ORANGE), (21, RED)]),
    number("Started over", "Sockets that had missed more than is kept, in the last quarter of an hour.", "none",
           raised("realtime_resets_total", "", "15m"), [(None, GREEN), (20, ORANGE), (200, RED)]),
    lines("Sockets", "By process: even, as nginx deals them out.", "none",
          Query("sum by (process) (websocket_connections_active)", "{{process}}")),
    lines("From commit to socket server", "What the alert SlowDelivery looks at is the middle line.", "s",
          *quantiles(DELIVERY), limit=0.25),
    areas("Frames sent", "By what they say.", "pps",
          Query(rate("websocket_messages_total", by="message_type"), "{{message_type}}")),
    lines("Events", "Read by a process for its sockets: once for each process that watches.", "eps",
          Query(rate(f"{DELIVERY}_count", by="process"), "{{process}}")),
    areas("Coming back", "Sockets that were handed what they had missed, and from where.", "ops",
          Query(rate("realtime_replays_total", by="source"), "{{source}}")),
    lines("Trouble", "Each is explained above.", "ops",
          Query(rate("realtime_healed_gaps_total"), "hints lost"),
          Query(rate("realtime_slow_consumers_total"), "too slow"),
          Query(rate("realtime_resets_total"), "started over")),
    bars("Most watched", "Diagnoses with the most sockets, now.", "none",
         Query("topk(10, sum by (diagnosis_id) (websocket_connections_active))", "{{diagnosis_id}}")),
    lines("Tickets", "How long those take that open a socket.", "s", *quantiles(LATENCY, "view='tickets'")),
]  # fmt: skip

REPORTS, POSTED = "feedback_submissions_total", "view=~'feedback-list|feedback-batch', method='POST'"
ALL_DAY = raised(REPORTS, "", "1d")
WEIGHED = " + ".join(
    f"{stars} * {raised(REPORTS, f'rating=%{stars}%'.replace('%', chr(39)), '1d')}" for stars in range(1, 6)
)
FEEDBACK = [
    number("Reports today", "In the last 24 hours.", "none", ALL_DAY),
    number("Reports this hour", "In the last 60 minutes.", "none", raised(REPORTS, "", "1h")),
    number("Successes", "Ratings of 3 and more, in the last 24 hours.", "percentunit",
           f"{raised(REPORTS, f'rating=~{chr(39)}[345]{chr(39)}', '1d')} / {ALL_DAY}",
           [(None, RED), (0.4, ORANGE), (0.6, GREEN)]),
    number("Mean rating", "Of 5, in the last 24 hours.", "none", f"({WEIGHED}) / {ALL_DAY}",
           [(None, RED), (2.5, ORANGE), (3.2, GREEN)]),
    number("19 of 20 are stored within", "With figures, events and answer.", "s", quantile(0.95, LATENCY, POSTED),
           [(None, GREEN), (0.3, ORANGE), (1, RED)]),
    number("Refused", "Reports answered with 4xx, of all that were sent.", "percentunit",
           f"(sum(rate({BY_VIEW}{{{POSTED}, status=~'4..'}}[{RATE}])) or vector(0)) / sum(rate({BY_VIEW}{{{POSTED}}}[{RATE}]))",
           [(None, GREEN), (0.02, ORANGE), (0.1, RED)]),
    areas("Reports by rating", "An hour's worth, at each moment.", "none",
          Query(f"sum by (rating) (increase({REPORTS}[1h]))", "{{rating}} of 5")),
    lines("How long a report takes", "Over HTTP, with everything that is done in its transaction.", "s",
          *quantiles(LATENCY, POSTED), limit=1),
    areas("What reports were answered", "201 created, 200 sent before, 400 a field is wrong, 404 not theirs.", "reqps",
          Query(rate(BY_VIEW, POSTED, by="status"), "{{status}}")),
    lines("Reading reports", "What 19 of 20 requests stay under.", "s",
          Query(quantile(0.95, LATENCY, "view=~'feedback-.*', method='GET'", by="le, view"), "{{view}}")),
]  # fmt: skip

CALCULATION = "analytics_calculation_duration_seconds"
REPORT_VIEWS = ".*-analytics|overall|trending|most-effective|worst-performing|side-effect-ranking|summary|recalculate"
ANALYTICS = [
    number("Estimates", "Posteriors of effectiveness, a second.", "ops", rate("analytics_calculations_total")),
    number("An estimate takes", "Mean; those of a list are made together and count as one.", "s",
           f"{rate(f'{CALCULATION}_sum')} / {rate(f'{CALCULATION}_count')}", [(None, GREEN), (0.02, ORANGE), (0.1, RED)]),
    number("19 of 20 take at most", "The mathematics alone.", "s", quantile(0.95, CALCULATION),
           [(None, GREEN), (0.05, ORANGE), (0.25, RED)]),
    number("19 of 20 answers within", "Every page and list of analytics together.", "s",
           quantile(0.95, LATENCY, f"view=~'{REPORT_VIEWS}'"), [(None, GREEN), (0.1, ORANGE), (0.5, RED)]),
    number("Answers", "Every page and list of analytics together.", "reqps", rate(BY_VIEW, f"view=~'{REPORT_VIEWS}'")),
    number("Telling others takes", "19 of 20 rounds in which other diagnoses are told that a remedy moved.", "s",
           quantile(0.95, "work_duration_seconds", "work='telling'"), [(None, GREEN), (1, ORANGE), (5, RED)]),
    lines("Estimates", "Every report needs one for each subject it counts for.", "ops",
          Query(rate("analytics_calculations_total"), "estimates"),
          Query(rate(f"{CALCULATION}_count"), "calls")),
    lines("How long the mathematics takes", "For one call, however many estimates it makes.", "s", *quantiles(CALCULATION)),
    lines("How long each answer takes", "What 19 of 20 requests stay under.", "s",
          Query(quantile(0.95, LATENCY, f"view=~'{REPORT_VIEWS}'", by="le, view"), "{{view}}")),
    areas("What is asked", "By page and list.", "reqps", Query(rate(BY_VIEW, f"view=~'{REPORT_VIEWS}'", by="view"), "{{view}}")),
]  # fmt: skip

OFF = "prediction_calibration_error"
PREDICTIONS = [
    number("Off by at least", "Mean distance of predicted from observed success over seven days, less what chance explains. "
           "The alert PredictionDrift goes off at 5 points; without reports there is none.", "percentunit",
           f"max({OFF}_at_least{{window='7d'}})", [(None, GREEN), (0.03, ORANGE), (0.05, RED)]),
    number("Outcomes", "Predictions of the last seven days that were reported on: what the figure beside rests on.", "none",
           "max(prediction_outcomes{window='7d'})", [(None, ORANGE), (100, GREEN)]),
    number("Rankings", "Answered, a second.", "ops", rate("predictions_total")),
    number("From the cache", "Of all rankings.", "percentunit",
           f"{rate('prediction_cache_hits_total')} / {rate('predictions_total')}", [(None, ORANGE), (0.3, GREEN)]),
    number("19 of 20 answers within", "Rankings, one diagnosis or a batch.", "s",
           quantile(0.95, LATENCY, "view=~'predictions|prediction-.*'"), [(None, GREEN), (0.1, ORANGE), (0.5, RED)]),
    number("Ranking anew takes", "19 of 20 rounds in which the worker ranks what reports have changed.", "s",
           quantile(0.95, "work_duration_seconds", "work='reranking'"), [(None, GREEN), (1, ORANGE), (5, RED)]),
    areas("Rankings by level", "Which part of the posterior ranked.", "ops",
          Query(rate("predictions_total", by="optimization_level"), "{{optimization_level}}")),
    lines("Calibration error", "What is seen, and what chance cannot explain of it.", "percentunit",
          Query(f"max({OFF}{{window='7d'}})", "seen"), Query(f"max({OFF}_at_least{{window='7d'}})", "at least"), limit=0.05),
    lines("How long an answer takes", "What 19 of 20 requests stay under.", "s",
          Query(quantile(0.95, LATENCY, "view=~'predictions|prediction-.*'", by="le, view"), "{{view}}")),
    lines("From the cache", "Each event in a diagnosis makes its ranking anew.", "percentunit",
          Query(f"{rate('prediction_cache_hits_total')} / {rate('predictions_total')}", "of all rankings")),
    bars("Scores", "What recommendations were ranked by, in the last hour: how many up to each score.", "none",
         Query("sum by (le) (increase(prediction_score_bucket[1h]))", "{{le}}")),
    lines("Work of the worker", "How long 19 of 20 rounds stay under.", "s",
          Query(quantile(0.95, "work_duration_seconds", "work=~'reranking|matching|drift'", by="le, work"), "{{work}}")),
]  # fmt: skip

DASHBOARDS: dict[str, tuple[str, Sequence[Panel]]] = {
    "system": ("Whether everything runs, how fast, and what runs out.", SYSTEM),
    "realtime": ("Sockets, events and how fast they arrive.", REALTIME),
    "feedback": ("What patients report, and how the clinic takes it.", FEEDBACK),
    "analytics": ("Estimates of effectiveness, and who asks for them.", ANALYTICS),
    "predictions": ("Rankings, how fast they are answered, and whether they come true.", PREDICTIONS),
}


def build(name: str, description: str, panels: Sequence[Panel]) -> str:
    """As JSON. Grafana places panels in their order, six numbers or two charts a row."""
    made = dashboard.Dashboard(f"Avicenna: {name}").uid(f"avicenna-{name}").description(description).tags(["avicenna"])
    made = (
        made.readonly().tooltip(DashboardCursorSync.CROSSHAIR).time("now-6h", "now").refresh("30s").timezone("browser")
    )
    made = made.link(
        dashboard.DashboardLink("Avicenna").type(DashboardLinkType.DASHBOARDS).tags(["avicenna"]).as_dropdown(False)
    )
    for panel in panels:
        made = made.with_panel(panel.build())
    return json.dumps(made.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    for name, (description, panels) in DASHBOARDS.items():
        (FOLDER / f"{name}.json").write_text(build(name, description, panels), encoding="utf-8")


if __name__ == "__main__":
    main()
