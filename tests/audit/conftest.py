from __future__ import annotations

import pytest
from django.db import connection


@pytest.fixture
def unguarded(db: None) -> None:
    """Nothing guards the trail but its chain, also on PostgreSQL; until the test is rolled back."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_auditrecord DISABLE TRIGGER audit_only_grows")
