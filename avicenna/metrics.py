"""Avicenna's own metrics; the names are a contract with dashboards and alerts (docs/operations.md)."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from avicenna.coming_and_going import ComingAndGoing

sign_in_failures = Counter("sign_in_failures_total", "Sign-ins refused: password, code, locked", ["reason"])
feedback_submissions = Counter("feedback_submissions_total", "Feedback accepted", ["rating"])
analytics_calculations = Counter("analytics_calculations_total", "Effectiveness calculations")
analytics_duration = Histogram("analytics_calculation_duration_seconds", "Time of an effectiveness calculation")
predictions = Counter("predictions_total", "Rankings answered", ["optimization_level"])
prediction_cache_hits = Counter("prediction_cache_hits_total", "Rankings answered from the cache")
prediction_scores = Histogram(
    "prediction_score", "What ranked a recommendation", buckets=[n / 10 for n in range(1, 11)]
)
websocket_connections = ComingAndGoing("websocket_connections_active", "Open sockets", "diagnosis_id")
websocket_messages = Counter("websocket_messages_total", "Frames sent", ["message_type"])
realtime_delivery = Histogram(
    "realtime_delivery_seconds",
    "From commit to handing an event to the sockets",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
realtime_resets = Counter("realtime_resets_total", "Sockets that had to start over from a snapshot")
realtime_replays = Counter("realtime_replays_total", "Sockets that were handed what they had missed", ["source"])
realtime_healed_gaps = Counter("realtime_healed_gaps_total", "Lost hints that the heads check made up for")
realtime_slow_consumers = Counter("realtime_slow_consumers_total", "Sockets closed because they did not read")
backup_last_success = Gauge(
    "backup_last_success_timestamp_seconds",
    "When the newest backup was made, 0 without any",
    multiprocess_mode="mostrecent",
)
# Of the version in use, over the reports of the window; not a number where there are none.
prediction_outcomes = Gauge(
    "prediction_outcomes", "Shown predictions with a report", ["window"], multiprocess_mode="livemostrecent"
)
prediction_calibration_error = Gauge(
    "prediction_calibration_error",
    "Mean distance of predicted from observed success, chance included",
    ["window"],
    multiprocess_mode="livemostrecent",
)
prediction_calibration_error_at_least = Gauge(
    "prediction_calibration_error_at_least",
    "Lower 95 % bound of the calibration error: what chance cannot explain",
    ["window"],
    multiprocess_mode="livemostrecent",
)
audit_records_lost = Counter("audit_records_lost_total", "Reads whose audit record stands in the log alone")
# Of what is done beside requests, by this process; `work` because Prometheus names its own jobs.
work_done = Gauge("work_done_timestamp_seconds", "When it was done last", ["work"], multiprocess_mode="max")
work_period = Gauge("work_period_seconds", "How often it is due", ["work"], multiprocess_mode="max")
work_duration = Histogram("work_duration_seconds", "How long a round of it took", ["work"])
work_failures = Counter("work_failures_total", "Rounds of it that failed", ["work"])

# A series that is there from the start: the first of its kind is a rise from 0, not from nothing.
for rating in range(1, 6):
    feedback_submissions.labels(rating)
for source in ("database", "memory"):
    realtime_replays.labels(source)
