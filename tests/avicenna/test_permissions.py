"""Who may do what, as one table: every route × method × role. The URLs of the admin are left out.

A route or method that is missing here fails `test_the_table_names_every_route_and_method`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admindocs.views import simplify_regex
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.urls import URLResolver, get_resolver
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Session, User
from diagnoses.actions import contraindicate
from diagnoses.models import Contraindication
from feedback.actions import submit
from predictions.models import PredictionModel

ROLES = ["nobody", "alice", "bob", "charlie", "dora", "sam", "rita", "oscar"]

# A key as a browser gives it (the base point of P-256).
POINT = "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"

PUBLIC = (200,) * 8
SIGNED_IN = (401, 200, 200, 200, 200, 200, 200, 200)
# Who may see it; to everybody else it does not exist, and to some roles it is closed as a whole.
OF_THE_DIAGNOSIS = (401, 200, 200, 404, 404, 200, 403, 403)
CARE_TEAM_WRITES = (401, 403, 200, 404, 403, 403, 403, 403)
CARE_TEAM_CREATES = (401, 403, 201, 404, 403, 403, 403, 403)
CLINICAL_LIST = (401, 200, 200, 200, 200, 200, 403, 403)
HEAD = (401, 403, 403, 403, 403, 200, 403, 403)

#                                                   nobody alice bob charlie dora sam rita oscar
TABLE: dict[str, tuple[int, ...]] = {
    "POST /api/auth/register": (201,) * 8,
    "POST /api/auth/token": PUBLIC,
    "POST /api/auth/token/refresh": PUBLIC,
    "POST /api/auth/logout": (401, 204, 204, 204, 204, 204, 204, 204),
    "GET /api/me": SIGNED_IN,
    "PATCH /api/me": SIGNED_IN,
    "POST /api/me/password": (401, 204, 400, 400, 400, 400, 400, 400),  # the body names Alice's
    "GET /api/me/sessions": SIGNED_IN,
    "DELETE /api/me/sessions/<pk>": (401, 204, 404, 404, 404, 404, 404, 404),
    "GET /api/consents": PUBLIC,
    "GET /api/me/export": SIGNED_IN,
    "GET /api/me/consents": (401, 200, 403, 403, 200, 403, 403, 403),
    "PUT /api/me/consents": (401, 200, 403, 403, 200, 403, 403, 403),
    "POST /api/me/erasure": (401, 204, 403, 403, 204, 403, 403, 403),
    "POST /api/patients/<patient_id>/erasure": (401, 403, 403, 403, 403, 204, 403, 403),
    "GET /api/me/access-log": SIGNED_IN,
    "GET /api/me/push": SIGNED_IN,
    "PUT /api/me/push": (401, 204, 204, 204, 204, 204, 204, 204),
    "DELETE /api/me/push": (401, 204, 204, 204, 204, 204, 204, 204),
    "GET /api/conditions/": SIGNED_IN,
    "GET /api/conditions/<slug>/": SIGNED_IN,
    "GET /api/remedies/": SIGNED_IN,
    "GET /api/remedies/<slug>/": SIGNED_IN,
    "GET /api/side-effects/": SIGNED_IN,
    "GET /api/side-effects/<slug>/": SIGNED_IN,
    "GET /api/patients/": (401, 200, 200, 200, 200, 200, 200, 403),
    "POST /api/patients/": (401, 403, 201, 201, 403, 201, 201, 403),
    "GET /api/patients/<pk>/": (401, 200, 200, 404, 404, 200, 200, 403),
    "PATCH /api/patients/<pk>/": (401, 403, 200, 404, 403, 200, 200, 403),
    "POST /api/patients/<patient_id>/break-glass": (401, 403, 409, 202, 403, 403, 403, 403),  # Bob sees it already
    "GET /api/patients/<patient_id>/broken-glass": OF_THE_DIAGNOSIS,
    "GET /api/patients/<patient_id>/contraindications/": OF_THE_DIAGNOSIS,
    "POST /api/patients/<patient_id>/contraindications/": CARE_TEAM_CREATES,
    "POST /api/patients/<patient_id>/contraindications/<pk>/lift/": CARE_TEAM_WRITES,
    "GET /api/diagnoses/": CLINICAL_LIST,
    "POST /api/diagnoses/": (401, 403, 201, 400, 403, 403, 403, 403),  # for Charlie the patient does not exist
    "GET /api/diagnoses/<pk>/": OF_THE_DIAGNOSIS,
    "PATCH /api/diagnoses/<pk>/": CARE_TEAM_WRITES,
    "GET /api/diagnoses/<diagnosis_id>/recommendations/": OF_THE_DIAGNOSIS,
    "POST /api/diagnoses/<diagnosis_id>/recommendations/": CARE_TEAM_CREATES,
    "GET /api/diagnoses/<diagnosis_id>/events/": OF_THE_DIAGNOSIS,
    "GET /api/diagnoses/<diagnosis_id>/snapshot": OF_THE_DIAGNOSIS,
    "GET /api/recommendations/<pk>/": OF_THE_DIAGNOSIS,
    "PATCH /api/recommendations/<pk>/": CARE_TEAM_WRITES,
    "POST /api/recommendations/<pk>/complete/": CARE_TEAM_WRITES,
    "POST /api/recommendations/<pk>/stop/": CARE_TEAM_WRITES,
    "POST /api/recommendations/<pk>/replace/": CARE_TEAM_CREATES,
    "GET /api/realtime/status": (401, 403, 403, 403, 403, 200, 403, 200),
    "POST /api/realtime/tickets": (401, 201, 201, 404, 404, 201, 403, 403),
    "GET /api/feedback/": CLINICAL_LIST,
    "POST /api/feedback/": (401, 201, 403, 403, 400, 403, 403, 403),  # for Dora the recommendation does not exist
    "GET /api/feedback/<pk>/": OF_THE_DIAGNOSIS,
    "PATCH /api/feedback/<pk>/": (401, 200, 403, 403, 404, 403, 403, 403),
    "DELETE /api/feedback/<pk>/": (401, 204, 403, 403, 404, 403, 403, 403),
    "GET /api/feedback/due": CLINICAL_LIST,
    "POST /api/feedback/batch/": (401, 200, 403, 403, 200, 403, 403, 403),
    "GET /api/severe-side-effects/": (401, 403, 200, 200, 403, 200, 403, 403),
    "POST /api/severe-side-effects/<pk>/look-at/": (401, 403, 200, 404, 403, 200, 403, 403),
    "GET /api/recommendations/<recommendation_id>/feedback-summary": OF_THE_DIAGNOSIS,
    "GET /api/diagnoses/<diagnosis_id>/feedback-overview": OF_THE_DIAGNOSIS,
    "GET /api/diagnoses/<diagnosis_id>/feedback-course": OF_THE_DIAGNOSIS,
    "GET /api/analytics/overall": CLINICAL_LIST,
    "GET /api/analytics/recommendations/<pk>": OF_THE_DIAGNOSIS,
    "GET /api/analytics/diagnoses/<pk>": OF_THE_DIAGNOSIS,
    "GET /api/analytics/remedies/<slug>": PUBLIC,
    "GET /api/analytics/remedies/<slug>/chart.svg": PUBLIC,
    "GET /api/analytics/conditions/<slug>": PUBLIC,
    "GET /api/analytics/trending": PUBLIC,
    "GET /api/analytics/most-effective": PUBLIC,
    "GET /api/analytics/worst-performing": PUBLIC,
    "GET /api/analytics/side-effects": PUBLIC,
    "POST /api/analytics/recalculate": (401, 403, 200, 400, 403, 200, 403, 403),  # for Charlie it does not exist
    "GET /api/analytics/summary": HEAD,
    "GET /api/predictions/": OF_THE_DIAGNOSIS,
    "GET /api/predictions/optimize": OF_THE_DIAGNOSIS,
    "POST /api/predictions/batch": OF_THE_DIAGNOSIS,
    "GET /api/predictions/profile/<patient_id>": OF_THE_DIAGNOSIS,
    "GET /api/predictions/history": OF_THE_DIAGNOSIS,
    "GET /api/predictions/model": HEAD,
    "GET /api/predictions/accuracy": HEAD,
    "GET /api/predictions/accuracy/chart.svg": HEAD,
    "GET /api/health": PUBLIC,
    "GET /health": PUBLIC,
    "GET /health/ready": PUBLIC,
    "GET /health/live": PUBLIC,
    "GET /metrics": (404,) * 8,  # only with the metrics token
    "GET /schema": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /redoc": PUBLIC,
    "GET /": PUBLIC,
    "GET /sw.js": PUBLIC,
    "GET /manifest.webmanifest": PUBLIC,
}

ROUTES = sorted({row.split()[1] for row in TABLE})


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in patterns:
        route = prefix + str(entry.pattern).removeprefix("^")
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route)
        elif not route.startswith("admin/"):
            yield re.sub(r"<\w+:", "<", simplify_regex(route)), entry.callback


def methods(view: Any) -> set[str]:
    """What the view has a handler for; a plain function counts as GET."""
    if hasattr(view, "actions"):
        return {name.upper() for name in view.actions} - {"HEAD"}
    view_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if view_class is None:
        return {"GET"}
    return {name.upper() for name in view_class.http_method_names if hasattr(view_class, name)} - {"HEAD", "OPTIONS"}


def test_the_table_names_every_route_and_method() -> None:
    served = {
        f"{method} {route}" for route, view in routes(get_resolver().url_patterns) for method in sorted(methods(view))
    }

    assert served == set(TABLE)


@pytest.fixture
def clinic(
    alice: User, bob: User, charlie: User, dora: User, sam: User, rita: User, oscar: User,
    patient: Any, diagnosis: Any, recommendation: Any, violet: Any, nausea: Any,
) -> dict[str, Any]:  # fmt: skip
    """Alice's record with one of everything; the keys are what precedes an id in a route."""
    said = {"rating": 4, "symptom_improvement": 4, "side_effects": {nausea: 4}}
    feedback, _ = submit(actor=alice, recommendation_id=recommendation.pk, **said)
    contraindication = contraindicate(
        actor=bob, patient=patient, remedy=recommendation.remedy, cause=Contraindication.Cause.ALLERGY
    )
    User.objects.filter(pk=alice.pk).update(password=make_password("saffron-and-rose"))
    PredictionModel.objects.create(version=1, training_size=1, holdout_size=1, is_active=True)
    return {
        "cast": {
            "nobody": None,
            "alice": alice,
            "bob": bob,
            "charlie": charlie,
            "dora": dora,
            "sam": sam,
            "rita": rita,
            "oscar": oscar,
        },
        "patients": patient.pk,
        "contraindications": contraindication.pk,
        "profile": patient.pk,
        "diagnoses": diagnosis.pk,
        "recommendations": recommendation.pk,
        "feedback": feedback.pk,
        "severe-side-effects": feedback.flag.pk,
        "sessions": Session.objects.create(user=alice).pk,
        "conditions": "headache",
        "remedies": "mint",
        "side-effects": "nausea",
    }


def body(row: str, clinic: dict[str, Any]) -> dict[str, Any]:
    report = {"recommendation": clinic["recommendations"], "rating": 4, "symptom_improvement": 4}
    bodies: dict[str, dict[str, Any]] = {
        "POST /api/auth/register": {"email": "n@n.example", "password": "saffron-and-rose", "full_name": "New"},
        "POST /api/patients/": {"full_name": "New"},
        "POST /api/patients/<patient_id>/contraindications/": {"remedy": "sweet-violet", "cause": "allergy"},
        "POST /api/patients/<patient_id>/break-glass": {"reason": "she fainted here"},
        "POST /api/diagnoses/": {"patient": clinic["patients"], "condition": "headache", "severity": 2},
        "POST /api/diagnoses/<diagnosis_id>/recommendations/": {"remedy": "sweet-violet"},
        "POST /api/recommendations/<pk>/replace/": {"remedy": "sweet-violet"},
        "POST /api/me/password": {"current": "saffron-and-rose", "new": "tulips-and-jasmine"},
        "PUT /api/me/push": {
            "endpoint": "https://fcm.googleapis.com/x",
            "keys": {"p256dh": POINT, "auth": "A" * 22},
        },
        "POST /api/realtime/tickets": {"diagnosis": clinic["diagnoses"]},
        "POST /api/feedback/": report,
        "POST /api/feedback/batch/": {"items": [report]},
        "POST /api/analytics/recalculate": {"recommendations": [clinic["recommendations"]]},
        "GET /api/feedback/due": {"since": "2026-01-01T00:00:00Z"},
        "GET /api/predictions/": {"diagnosis": clinic["diagnoses"]},
        "GET /api/predictions/optimize": {"diagnosis": clinic["diagnoses"], "target_effectiveness": 0.5},
        "POST /api/predictions/batch": {"diagnoses": [str(clinic["diagnoses"])]},
        "GET /api/predictions/history": {"diagnosis": clinic["diagnoses"]},
    }
    if row == "POST /api/auth/token":
        User.objects.create_user("erin@clinic.example", "saffron-and-rose")
        return {"email": "erin@clinic.example", "password": "saffron-and-rose"}
    if row.endswith("/erasure"):
        for user in filter(None, clinic["cast"].values()):
            user.set_password("saffron-and-rose")
            user.save()
        return {"password": "saffron-and-rose", "confirmation": "erase"}
    if row == "POST /api/auth/token/refresh":
        return {"refresh": tokens.issue(Session.objects.create(user=clinic["cast"]["alice"]))["refresh"]}
    return bodies.get(row, {})


def address(route: str, clinic: dict[str, Any]) -> str:
    return re.sub(r"([\w-]+)/<\w+>", lambda found: f"{found[1]}/{clinic[found[1]]}", route)


def undone(client: APIClient, method: str, path: str, data: Any = None) -> Any:
    """Sends a request and takes back what it wrote, so that the next role meets the same clinic."""
    with transaction.atomic():
        response = getattr(client, method.lower())(path, data)
        transaction.set_rollback(True)
    return response


@pytest.mark.parametrize("row", TABLE)
def test_each_role_gets_its_answer(api: Any, clinic: Any, row: str) -> None:
    method, route = row.split()
    path, data = address(route, clinic), body(row, clinic)

    answers = [undone(api(clinic["cast"][role]), method, path, data) for role in ROLES]

    assert dict(zip(ROLES, [a.status_code for a in answers], strict=True)) == dict(zip(ROLES, TABLE[row], strict=True))
    refused = [answer for answer in answers if answer.status_code >= 400 and route != "/metrics"]
    assert all({"code", "message"} <= set(answer.json()["error"]) for answer in refused)
    assert all(answer["WWW-Authenticate"].startswith("Bearer") for answer in refused if answer.status_code == 401)


@pytest.mark.parametrize("route", ROUTES)
def test_no_other_method_does_anything(api: Any, clinic: Any, route: str) -> None:
    others = [m for m in ("GET", "POST", "PUT", "PATCH", "DELETE") if f"{m} {route}" not in TABLE]
    path, clients = address(route, clinic), [api(clinic["cast"][role]) for role in ("alice", "bob", "sam", "rita")]

    codes = {undone(client, m, path).status_code for m in others for client in clients}

    assert codes <= ({404} if route == "/metrics" else {403, 405})


@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith("/api/")])
def test_options_tells_a_stranger_nothing_but_how_to_ask(api: Any, clinic: Any, route: str) -> None:
    answer = api().options(address(route, clinic))

    private = any(TABLE[row][0] == 401 for row in TABLE if row.split()[1] == route)
    assert answer.status_code in ({401} if private else {200, 404, 405})


def test_metrics_open_with_their_token(client: Any, settings: Any) -> None:
    settings.METRICS_TOKEN = "let-prometheus-in"

    answers = [client.get("/metrics", headers={"Authorization": f"Bearer {given}"}) for given in (
        "let-prometheus-in", "let-everybody-in", "",
    )]  # fmt: skip

    assert [answer.status_code for answer in answers] == [200, 404, 404]
