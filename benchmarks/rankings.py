"""Asks a clinic with a history for predictions, in a process of its own: what a request costs the server.

`python -m benchmarks.rankings` trains a model on the reports that the database holds, asks through the WSGI application
as gunicorn does, with real sign-ins, rate limits and cache, and prints one JSON line: by the method of prediction and
by what was asked, how long it took.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import F  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import tokens  # noqa: E402
from accounts.models import Role, Session, User  # noqa: E402
from avicenna.identifiers import new_id  # noqa: E402
from avicenna.wsgi import application  # noqa: E402
from diagnoses.models import Diagnosis, Patient  # noqa: E402
from predictions.actions import activate_model  # noqa: E402
from predictions.engine import fit  # noqa: E402
from predictions.history import training_reports  # noqa: E402
from predictions.models import PredictionModel  # noqa: E402
from predictions.registry import registry  # noqa: E402

PATIENTS, BATCH, WARM_UPS = 120, 20, 5
SCALE = 0.5
Ask = Callable[[], None]
# Milliseconds: median, 95th percentile, and the median of the processor time.
Times = tuple[float, float, float]


factory = RequestFactory(headers={"host": settings.ALLOWED_HOSTS[0], "x-forwarded-proto": "https"})


def people() -> None:
    """Gives the patients of the history a sex and an age, which a model may learn from."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE diagnoses_patient SET sex = (ARRAY['female', 'male', ''])[1 + mod(abs(hashtext(id::text)), 3)],"
            " birth_date = current_date - (6000 + mod(abs(hashtext(id::text)), 24000))"
        )


def train() -> None:
    """Fits every group to all reports: a training would leave out those that tell little, and with them their cost."""
    reports = training_reports()
    columns = reports.cases.columns()
    model = fit(columns, reports.outcomes, scales=dict.fromkeys(columns, SCALE))
    newest = PredictionModel.objects.order_by("-version").values_list("version", flat=True).first() or 0
    activate_model(
        PredictionModel.objects.create(
            version=newest + 1,
            training_size=len(reports),
            holdout_size=0,
            trained_until=timezone.now(),
            coefficients=model.to_dict(),
        )
    )


def sign_in(user: User) -> str:
    return f"Bearer {tokens.issue(Session.objects.create(user=user))['access']}"


def patients() -> list[tuple[str, Diagnosis]]:
    """Patients with the app, spread over the history: how each signs in, and what each asks about."""
    every = list(Diagnosis.objects.order_by("pk").values_list("pk", flat=True))
    chosen = [every[n * len(every) // PATIENTS] for n in range(PATIENTS)]
    found = []
    for diagnosis in Diagnosis.objects.filter(pk__in=chosen).select_related("patient").order_by("pk"):
        user = User.objects.create_user(f"{new_id()}@bench.example", role=Role.PATIENT)
        Patient.objects.filter(pk=diagnosis.patient_id).update(user=user)
        found.append((sign_in(user), diagnosis))
    return found


def practitioner(diagnoses: Iterable[Diagnosis]) -> str:
    user = User.objects.create_user(f"{new_id()}@bench.example", role=Role.PRACTITIONER)
    for diagnosis in diagnoses:
        diagnosis.patient.care_team.add(user)
    return sign_in(user)


def asking(method: str, path: str, token: str, data: dict[str, Any]) -> Ask:
    """A request made ready; how long it takes to make one is not the server's time."""
    body = json.dumps(data).encode() if method == "post" else b""
    headers = {"authorization": token}
    if method == "post":
        made = factory.post(path, body, content_type="application/json", headers=headers)
    else:
        made = factory.get(path, data, headers=headers)

    def ask() -> None:
        statuses: list[str] = []
        environ = made.environ | {"wsgi.input": BytesIO(body)}
        b"".join(application(environ, lambda status, _: statuses.append(status)))
        if not statuses[0].startswith("200"):
            raise RuntimeError(f"{path} answered {statuses[0]}")

    return ask


def timed(asks: Sequence[Ask], before: Ask = lambda: None) -> Times:
    """`before` each is not counted."""
    taken, busy = [], []
    for ask in asks:
        before()
        started, worked = time.perf_counter(), time.thread_time()
        ask()
        busy.append((time.thread_time() - worked) * 1000)
        taken.append((time.perf_counter() - started) * 1000)
    counted = sorted(taken[WARM_UPS:])
    return statistics.median(counted), counted[-(-len(counted) * 95 // 100) - 1], statistics.median(busy[WARM_UPS:])


def measure() -> dict[str, Times]:
    """Each of the patients asks about the own diagnosis, a practitioner about twenty at once."""
    own = patients()
    singles = [asking("get", "/api/predictions/", token, {"diagnosis": str(one.pk)}) for token, one in own]
    several = [[one for _, one in own][start : start + BATCH] for start in range(0, PATIENTS - BATCH + 1, 5)]
    doctor = practitioner([one for _, one in own])
    batches = [
        asking("post", "/api/predictions/batch", doctor, {"diagnoses": [str(one.pk) for one in some]})
        for some in several
    ]
    best = [
        asking("get", "/api/predictions/optimize", token, {"diagnosis": str(one.pk), "target_effectiveness": 0.7})
        for token, one in own
    ]
    return {
        "who am I": timed([asking("get", "/api/me", token, {}) for token, _ in own]),
        "one, nothing kept": timed(singles, cache.clear),
        "one": timed(singles, something_happens),
        "one, kept": timed(once(singles)),
        "batch, nothing kept": timed(batches, cache.clear),
        "batch": timed(batches, something_happens),
        "batch, kept": timed(once(batches)),
        "optimize": timed(best, something_happens),
    }


def once(asks: Sequence[Ask]) -> Sequence[Ask]:
    """After each was asked, so that its answer is kept."""
    for ask in asks:
        ask()
    return asks


def something_happens() -> None:
    """In every diagnosis: no ranking made before is worth anything."""
    Diagnosis.objects.filter(patient__user__isnull=False).update(head=F("head") + 1)


def main() -> None:
    people()
    train()
    with_model = measure()
    PredictionModel.objects.update(is_active=False)
    registry.forget()
    print(json.dumps({"model": with_model, "effectiveness": measure()}), flush=True)


if __name__ == "__main__":
    main()
