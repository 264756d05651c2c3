from __future__ import annotations

from accounts.models import PushSubscription, Session


def ending_all_sessions() -> dict[str, str]:
    """SQL by the table it changes: everybody signs in again. Sessions that ended after a backup was made live in it."""
    sessions, subscriptions = Session._meta.db_table, PushSubscription._meta.db_table
    return {
        sessions: f"UPDATE {sessions} SET ended_at = CURRENT_TIMESTAMP WHERE ended_at IS NULL",
        subscriptions: f"DELETE FROM {subscriptions}",
    }
