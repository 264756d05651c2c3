"""`python -m benchmarks.back_office`: what the pages of the admin cost as its tables grow (PostgreSQL, some minutes).

A clinic with few reports, then one with 1,000,000 and as many diagnoses; each page is asked for several times by one of
the staff, and what of it the database took is told beside it. Prints a table of medians and, for the large clinic,
the slowest statement of each page.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.run import postgresql

CALLS = 7
PAGES = {
    "patients": "diagnoses/patient/",
    "patients of one mizaj": "diagnoses/patient/?mizaj_type__exact=warm",
    "diagnoses": "diagnoses/diagnosis/",
    "diagnoses, page 40": "diagnoses/diagnosis/?p=40",
    "diagnoses by status and severity": "diagnoses/diagnosis/?status__exact=active&severity__exact=3",
    "diagnoses of one condition": "diagnoses/diagnosis/?condition__id__exact=7",
    "diagnoses, nothing found": "diagnoses/diagnosis/?severity__exact=1",
    "diagnoses by a patient's mizaj": "diagnoses/diagnosis/?patient__mizaj_type__exact=warm",
    "feedback": "feedback/feedback/",
    "feedback of one rating": "feedback/feedback/?rating__exact=1",
    "feedback with severe side effects": "feedback/feedback/?harm=severe",
    "feedback on one remedy": "feedback/feedback/?q=remedy-7",
    "feedback, withdrawn": "feedback/feedback/?withdrawn_at__isempty=0",
    "home": "",
}
MORE = """
    INSERT INTO diagnoses_diagnosis (id, patient_id, condition_id, severity, imbalance, symptoms, notes, status, head,
                                     created_at, updated_at)
    SELECT gen_random_uuid(), patient_id, 1 + mod(condition_id + n, 40), 2 + mod(n, 4), imbalance, '', '',
           CASE WHEN mod(n, 3) = 0 THEN 'resolved' ELSE 'active' END, 0, created_at, updated_at
    FROM diagnoses_diagnosis, generate_series(1, 24) AS n
"""


def measure(size: int) -> tuple[dict[str, float], dict[str, float], dict[str, str]]:
    """Milliseconds of each page, of the database in it, and the slowest statement."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User
    from benchmarks import history
    from diagnoses.models import Patient

    history.load(size)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(MORE)
        cursor.execute("RESET session_replication_role")
    for patient in Patient.objects.only("pk").iterator():
        patient.full_name = "Somebody"  # a history comes without names, and a page opens the sealed ones it shows
        patient.save(update_fields=["full_name"])
    call_command("rebuild_analytics", verbosity=0)
    history.tidy(None)
    staff, _ = User.objects.get_or_create(email="olga@clinic.example", defaults={"role": "head", "name": "Olga"})
    client: Any = Client()
    client.force_login(staff)
    whole, database, slowest = {}, {}, {}
    for name, path in PAGES.items():
        times: list[float] = []
        queries: list[dict[str, str]] = []
        for _call in range(CALLS):
            started = time.perf_counter()
            with CaptureQueriesContext(connection) as asked:
                answer = client.get(f"/admin/{path}", headers={"host": "127.0.0.1"})
            queries = asked.captured_queries
            times.append(1000 * (time.perf_counter() - started))
            assert answer.status_code == 200, (path, answer.status_code)
        whole[name] = statistics.median(times)
        database[name] = 1000 * sum(float(query["time"]) for query in queries)
        worst = max(queries, key=lambda query: float(query["time"]))
        slowest[name] = f"{1000 * float(worst['time']):.0f} ms of {len(queries)} statements: {worst['sql'][:300]}"
    return whole, database, slowest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000], help="reports; as many diagnoses")
    asked = parser.parse_args()
    with postgresql() as url:
        os.environ |= {"DATABASE_URL": str(url), "DEBUG": "1", "LOG_LEVEL": "WARNING", "STAFF_TOTP_REQUIRED": "0"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "avicenna.settings"
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        settings.DEBUG = False
        call_command("migrate", verbosity=0)
        found = {size: measure(size) for size in asked.sizes}
    table = Table("page", *(f"{size:,}: page, of it database (ms)" for size in found))
    for name in PAGES:
        table.add_row(name, *(f"{whole[name]:.0f}, {database[name]:.0f}" for whole, database, _ in found.values()))
    console = Console(width=160)
    console.print(table)
    for name, said in found[max(found)][2].items():
        console.print(f"{name}: {said}", highlight=False)


if __name__ == "__main__":
    main()
