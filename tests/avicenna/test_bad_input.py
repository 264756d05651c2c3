"""What must not come in: the right status, the one error shape, nothing written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts import tokens
from accounts.models import Session, User
from analytics.models import EffectivenessRollup
from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Contraindication, Diagnosis, Patient, Recommendation
from feedback.models import Feedback, SideEffectReport
from realtime.models import DiagnosisEvent, Ticket

Send = Callable[..., Any]

WRITTEN = [
    Feedback, SideEffectReport, EffectivenessRollup, DiagnosisEvent, Recommendation, Diagnosis, Patient, User, Ticket,
    Contraindication,
]  # fmt: skip

HUGE = 10**40
UNKNOWN = "0190a1b2-0000-7000-8000-000000000000"


def refused(send: Callable[[], Any], status: int, code: str | None = None) -> dict[str, Any]:
    """The error that a request is answered with, after looking at its shape and that nothing was written."""
    before = [model._default_manager.count() for model in WRITTEN]
    answer = send()
    assert answer.status_code == status, answer.content
    error: dict[str, Any] = answer.json()["error"]
    assert set(answer.json()) == {"error"} and {"code", "message"} <= set(error) <= {"code", "message", "fields"}
    assert error["message"] and (code is None or error["code"] == code), error
    assert [model._default_manager.count() for model in WRITTEN] == before
    return error


@pytest.fixture
def submit(api: Any, alice: Any, report: Any, nausea: Any) -> Send:
    """Sends Alice's report, changed as said, which must be refused; answers the error."""
    client = api(alice)

    def send(status: int = 400, code: str | None = None, **changes: Any) -> dict[str, Any]:
        return refused(lambda: client.post("/api/feedback/", report | changes), status, code)

    return send


@pytest.fixture
def raw(api: Any, alice: Any, report: Any) -> Send:
    """Sends bytes as they are to the feedback; they must be refused; answers the error."""
    client = api(alice)

    def send(data: bytes, status: int = 400, content_type: str = "application/json", **headers: Any) -> Any:
        return refused(lambda: client.generic("POST", "/api/feedback/", data, content_type, **headers), status)

    return send


NOT_ONE_TO_FIVE = [0, 6, -1, 4.5, True, None, "", "5 stars", "۶", HUGE, -HUGE, 1e300, [], {}, [4], "9" * 2000]


@pytest.mark.parametrize("value", NOT_ONE_TO_FIVE, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("field", ["rating", "symptom_improvement"])
def test_a_mark_is_a_whole_number_from_one_to_five(submit: Send, field: str, value: Any) -> None:
    error = submit(code="invalid", **{field: value})

    assert list(error["fields"]) == [field]


@pytest.mark.parametrize("value", [value for value in NOT_ONE_TO_FIVE if value is not None], ids=lambda v: repr(v)[:12])
def test_compliance_is_too_or_is_left_out(submit: Send, value: Any) -> None:
    assert list(submit(code="invalid", compliance=value)["fields"]) == ["compliance"]


@pytest.mark.parametrize("value", NOT_ONE_TO_FIVE, ids=lambda value: repr(value)[:12])
def test_a_change_is_held_to_the_same(api: Any, alice: Any, report: Any, value: Any) -> None:
    client = api(alice)
    pk = client.post("/api/feedback/", report).json()["id"]

    refused(lambda: client.patch(f"/api/feedback/{pk}/", {"rating": value}), 400, "invalid")

    assert Feedback.objects.get().rating == 4


@pytest.mark.parametrize("five", ["5", "۵", "٥", 5.0, "5.0", " ۵ "])
def test_five_in_any_digits_is_five(api: Any, alice: Any, report: Any, five: Any) -> None:
    answer = api(alice).post("/api/feedback/", report | {"rating": five})

    assert (answer.status_code, answer.json()["rating"]) == (201, 5)


@pytest.mark.parametrize("letter", ["a", "ب", "🌿", "e\u0301"[1]])
def test_a_comment_has_500_characters_at_most(api: Any, alice: Any, report: Any, letter: str) -> None:
    client = api(alice)
    long = report | {"comment": "x" + letter * 500}

    assert list(refused(lambda: client.post("/api/feedback/", long), 400, "invalid")["fields"]) == ["comment"]
    assert client.post("/api/feedback/", report | {"comment": "x" + letter * 499}).status_code == 201


@pytest.mark.parametrize("comment", [None, [], {}, True], ids=repr)
def test_a_comment_is_text(submit: Send, comment: Any) -> None:
    assert list(submit(code="invalid", comment=comment)["fields"]) == ["comment"]


@pytest.mark.parametrize("value", ["not-a-uuid", "", None, 5, -1, HUGE, 4.5, True, [], {}, "a" * 5000, "../../etc"],
                         ids=lambda value: repr(value)[:12])  # fmt: skip
def test_a_recommendation_is_named_by_its_id(submit: Send, value: Any) -> None:
    assert list(submit(code="invalid", recommendation=value)["fields"]) == ["recommendation"]


@pytest.mark.parametrize("field", ["client_id", "diagnosis"])
@pytest.mark.parametrize("value", ["not-a-uuid", None, -1, HUGE, 4.5, [], {}], ids=lambda value: repr(value)[:12])
def test_other_ids_are_ids_too(submit: Send, field: str, value: Any) -> None:
    assert list(submit(code="invalid", **{field: value})["fields"]) == [field]


def test_an_unknown_recommendation_and_somebody_elses_look_the_same(
    submit: Send, bob: Any, dora: Any, headache: Any, mint: Any
) -> None:
    dora.patient.care_team.add(bob)
    theirs = recommend(
        actor=bob,
        diagnosis=record_diagnosis(actor=bob, patient=dora.patient, condition=headache, severity=1),
        remedy=mint,
    )

    told = [submit(recommendation=str(pk))["fields"]["recommendation"] for pk in (UNKNOWN, theirs.pk)]

    assert told[0][0].replace(UNKNOWN, "") == told[1][0].replace(str(theirs.pk), "")


def test_the_recommendation_belongs_to_the_diagnosis_named(
    submit: Send, bob: Any, patient: Any, headache: Any, diagnosis: Any
) -> None:
    other = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=1)

    assert list(submit(diagnosis=str(other.pk))["fields"]) == ["diagnosis"]


@pytest.mark.parametrize(
    "effects",
    [
        [{"effect": "unheard-of", "severity": 2}],
        [{"effect": "nausea", "severity": 2}, {"effect": "nausea", "severity": 3}],
        [{"effect": "nausea", "severity": 9}],
        [{"effect": "nausea", "severity": 0}],
        [{"effect": "nausea"}],
        [{"severity": 2}],
        [{}],
        ["nausea"],
        [None],
        [[]],
        {"nausea": 2},
        "nausea",
        None,
        5,
        [{"effect": None, "severity": 2}],
        [{"effect": [], "severity": 2}],
        [{"effect": {}, "severity": 2}],
        [{"effect": "nau\x00sea", "severity": 2}],
        [{"effect": "nausea", "severity": 2}] * 41,
    ],
    ids=lambda effects: repr(effects)[:50],
)
def test_side_effects_are_known_each_once_and_graded(
    api: Any, alice: Any, submit: Send, report: Any, effects: Any
) -> None:
    submit(code=None, side_effects=effects)

    client = api(alice)
    pk = client.post("/api/feedback/", report).json()["id"]
    refused(lambda: client.patch(f"/api/feedback/{pk}/", {"side_effects": effects}), 400)


def test_a_retired_side_effect_is_refused(submit: Send, nausea: Any) -> None:
    nausea.is_active = False
    nausea.save()

    assert list(submit(side_effects=[{"effect": "nausea", "severity": 2}])["fields"]) == ["side_effects"]


@pytest.mark.parametrize("data", [
    b"", b"{", b"{'rating': 4}", b"rating=4", b"\xff\xfe", b'{"comment": "\xff"}', b"\xef\xbb\xbf{}", b"nonsense",
    b'{"rating": NaN}', b'{"rating": Infinity}', b'{"rating": -Infinity}', b'{"rating": 1e999}',
    b'{"rating": ' + b"9" * 10_000 + b"}",
    b"[]", b'"text"', b"4", b"null", b"true", b"[{}]",
    b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"4" + b"}" * 100_000, b"[" * 100_000,
    b'{"rating": ' + b"[" * 900 + b"]" * 900 + b"}",
], ids=lambda data: repr(data)[:24])  # fmt: skip
def test_what_is_no_json_object_is_refused(raw: Send, data: bytes) -> None:
    raw(data)


def test_the_largest_body_is_one_megabyte(raw: Send) -> None:
    padding = json.dumps({"comment": "x" * 2_000_000}).encode()

    assert raw(padding, 413)["code"] == "too_large"


@pytest.mark.parametrize("content_type", [
    "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/octet-stream",
])  # fmt: skip
def test_only_json_is_read(raw: Send, content_type: str) -> None:
    assert raw(b"rating=4", 415, content_type)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("charset", ["utf-16", "hex", "zlib", "rot13", "none-such"])
def test_no_charset_breaks_the_reader(raw: Send, charset: str) -> None:
    raw(b"{}", 400, f"application/json; charset={charset}")


def test_an_unsupported_method_is_told(api: Any, alice: Any, report: Any) -> None:
    refused(lambda: api(alice).put("/api/feedback/", report), 405, "method_not_allowed")


@pytest.mark.parametrize("accept", ["application/json; version=2", "application/json; version=../1", "text/html"])
def test_an_unknown_version_or_format_is_not_acceptable(api: Any, alice: Any, report: Any, accept: str) -> None:
    refused(lambda: api(alice, accept=accept).post("/api/feedback/", report), 406, "not_acceptable")


def test_an_unknown_path_answers_in_the_same_shape(api: Any, alice: Any) -> None:
    refused(lambda: api(alice).get("/api/nothing-here"), 404, "not_found")


BAD_TEXT = {"nul": "a\x00b", "surrogate": "a\ud800b"}

NO_OBJECTS = [b"[]", b'"text"', b"4", b"null", b"{", b"[" * 100_000]

REPORT = {"recommendation": "<recommendation>", "rating": 4, "symptom_improvement": 4}

# method, path, the rest of the body, and the field that gets the text
TEXTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/api/feedback/", REPORT, "comment"),
    ("POST", "/api/feedback/", {"rating": 4, "symptom_improvement": 4}, "recommendation"),
    ("POST", "/api/auth/register", {"password": "saffron-and-rose", "full_name": "New"}, "email"),
    ("POST", "/api/auth/register", {"email": "n@n.example", "full_name": "New"}, "password"),
    ("POST", "/api/auth/register", {"email": "n@n.example", "password": "saffron-and-rose"}, "full_name"),
    ("POST", "/api/auth/register",
     {"email": "n@n.example", "password": "saffron-and-rose", "full_name": "New"}, "language"),
    ("POST", "/api/auth/register", {"email": "n@n.example", "password": "saffron-and-rose", "full_name": "N"}, "sex"),
    ("POST", "/api/auth/register",
     {"email": "n@n.example", "password": "saffron-and-rose", "full_name": "N"}, "birth_date"),
    ("POST", "/api/auth/token", {"email": "n@n.example"}, "password"),
    ("POST", "/api/auth/token", {"password": "saffron-and-rose"}, "email"),
    ("POST", "/api/auth/token", {"email": "n@n.example", "password": "saffron-and-rose"}, "device"),
    ("POST", "/api/auth/token/refresh", {}, "refresh"),
    ("PATCH", "/api/me", {}, "name"),
    ("PATCH", "/api/me", {}, "language"),
    ("POST", "/api/patients/", {}, "full_name"),
    ("POST", "/api/patients/", {"full_name": "New"}, "medical_history"),
    ("POST", "/api/patients/", {"full_name": "New"}, "current_medications"),
    ("POST", "/api/patients/", {"full_name": "New"}, "mizaj_type"),
    ("PATCH", "/api/patients/<patient>/", {}, "medical_history"),
    ("POST", "/api/diagnoses/", {"condition": "headache", "severity": 2}, "patient"),
    ("POST", "/api/diagnoses/", {"patient": "<patient>", "severity": 2}, "condition"),
    ("POST", "/api/diagnoses/", {"patient": "<patient>", "condition": "headache", "severity": 2}, "notes"),
    ("POST", "/api/diagnoses/", {"patient": "<patient>", "condition": "headache", "severity": 2}, "symptoms[]"),
    ("POST", "/api/patients/<patient>/contraindications/", {"cause": "allergy"}, "remedy"),
    ("POST", "/api/patients/<patient>/contraindications/", {"remedy": "sweet-violet"}, "cause"),
    ("POST", "/api/patients/<patient>/contraindications/", {"remedy": "sweet-violet", "cause": "allergy"}, "reason"),
    ("PATCH", "/api/diagnoses/<diagnosis>/", {}, "status"),
    ("PATCH", "/api/diagnoses/<diagnosis>/", {}, "imbalance"),
    ("POST", "/api/diagnoses/<diagnosis>/recommendations/", {}, "remedy"),
    ("POST", "/api/diagnoses/<diagnosis>/recommendations/", {"remedy": "sweet-violet"}, "dosage"),
    ("PATCH", "/api/recommendations/<recommendation>/", {}, "instructions"),
    ("POST", "/api/recommendations/<recommendation>/stop/", {}, "reason"),
    ("POST", "/api/recommendations/<recommendation>/replace/", {"remedy": "sweet-violet"}, "reason"),
    ("POST", "/api/realtime/tickets", {}, "diagnosis"),
]  # fmt: skip


@pytest.fixture
def filled(patient: Any, diagnosis: Any, recommendation: Any, violet: Any) -> Callable[[str], str]:
    ids = {"<patient>": patient.pk, "<diagnosis>": diagnosis.pk, "<recommendation>": recommendation.pk}

    def fill(template: str) -> str:
        for name, pk in ids.items():
            template = template.replace(name, str(pk))
        return template

    return fill


@pytest.mark.parametrize("bad", BAD_TEXT.values(), ids=list(BAD_TEXT))
@pytest.mark.parametrize(
    ("method", "path", "rest", "field"), TEXTS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_text_that_no_database_can_hold_is_refused(
    api: Any, alice: Any, bob: Any, filled: Any, method: str, path: str, rest: Any, field: str, bad: str
) -> None:
    value = [bad] if field.endswith("[]") else bad
    data = filled(json.dumps(rest | {field.removesuffix("[]"): value}))
    client = api(alice if path.startswith(("/api/feedback", "/api/me")) else bob)

    refused(lambda: client.generic(method, filled(path), data, "application/json"), 400)


@pytest.mark.parametrize("path", [
    "/api/remedies/mi%00nt/", "/api/conditions/%00/", "/api/side-effects/%00/", "/api/patients/%00/",
    "/api/diagnoses/%00/", "/api/diagnoses/%00/events/", "/api/recommendations/%00/", "/api/feedback/%00/",
    "/api/analytics/remedies/%00", "/api/analytics/recommendations/%00", "/%00", "/api/%00",
    "/api/remedies/%FF/", "/api/remedies/%ED%A0%80/", "/api/feedback/not-a-uuid/", "/api/diagnoses/1/",
    "/api/remedies/" + "x" * 3000 + "/", "/api/patients/%00/contraindications/", "/api/patients/1/contraindications/",
    "/api/predictions/profile/%00", "/api/predictions/profile/1",
])  # fmt: skip
def test_a_path_that_names_nothing_is_not_found(api: Any, bob: Any, path: str) -> None:
    refused(lambda: api(bob).get(path), 404, "not_found")


@pytest.mark.parametrize("query", [
    "feedback/?rating_min=abc", "feedback/?rating_min=0", "feedback/?rating_max=6", "feedback/?rating_min=NaN",
    "feedback/?rating_min=1e999999999", "feedback/?ordering=evil", "feedback/?ordering=created_at,evil",
    "feedback/?ordering=patient__full_name", "feedback/?recommendation=abc", "feedback/?patient=%00",
    "feedback/?since=yesterday", "feedback/?until=2026-02-30", "feedback/?remedy=%00",
    "diagnoses/?status=evil", "diagnoses/?severity=abc", "diagnoses/?patient=abc", "diagnoses/?condition=%00",
    "remedies/?kind=evil", "remedies/?q=%00", "conditions/?q=%00", "conditions/?category=%00", "side-effects/?q=%00",
    "analytics/trending?limit=51", "analytics/trending?limit=0", "analytics/most-effective?limit=abc",
    "analytics/most-effective?min_samples=1", "analytics/worst-performing?min_samples=4",
    "analytics/side-effects?min_samples=" + "9" * 30,
    "predictions/", "predictions/?diagnosis=abc", "predictions/?diagnosis=%00",
    "predictions/?diagnosis=<diagnosis>&optimization_level=evil",
    "predictions/?diagnosis=<diagnosis>&optimization_level=%00",
    "predictions/optimize?diagnosis=<diagnosis>", "predictions/optimize?diagnosis=<diagnosis>&target_effectiveness=NaN",
    "predictions/optimize?diagnosis=%00&target_effectiveness=0.5", "predictions/history?diagnosis=abc",
    "predictions/history?diagnosis=<diagnosis>&days=0", "predictions/history?diagnosis=<diagnosis>&days=" + "9" * 5000,
    "diagnoses/<diagnosis>/events/?since=abc", "diagnoses/<diagnosis>/events/?since=-1",
    "diagnoses/<diagnosis>/events/?since=" + "9" * 30,
])  # fmt: skip
def test_a_query_is_held_to_its_values(api: Any, bob: Any, filled: Any, query: str) -> None:
    refused(lambda: api(bob).get(filled(f"/api/{query}")), 400, "invalid")


@pytest.mark.parametrize("page", ["999999", "0", "-1", "abc", "%00", "9" * 5000, "1e9", ""])
def test_a_page_that_is_not_there_is_not_found(api: Any, bob: Any, page: str) -> None:
    answer = api(bob).get(f"/api/feedback/?page={page}")

    assert answer.status_code == (404 if page else 200)


@pytest.mark.parametrize("size", ["100000", "9" * 20, "9" * 5000, "0", "-1", "abc", "%00"])
def test_a_page_has_a_hundred_rows_at_most(api: Any, sam: Any, size: str) -> None:
    for number in range(101):
        create_patient(actor=None, full_name=f"Patient {number}")

    answer = api(sam).get(f"/api/patients/?page_size={size}")

    assert len(answer.json()["results"]) == (100 if size in ("100000", "9" * 20) else 25)


@pytest.mark.parametrize("query", [
    "feedback/?withdrawn=evil", "feedback/?evil=1", "feedback/?rating_min=", "feedback/?ordering=",
    "feedback/?since=0001-01-01&until=9999-12-31", "feedback/?rating_min=۳", "diagnoses/?severity=" + "9" * 30,
    "diagnoses/?severity=1.5", "remedies/?is_active=evil", "remedies/?q=%FF", "remedies/?q=" + "x" * 3000,
    "remedies/?q=%25_%5C", "patients/<patient>/contraindications/?standing=evil", "conditions/?q=%D8%B3%D8%B1",
])  # fmt: skip
def test_no_query_breaks_a_list(api: Any, bob: Any, filled: Any, query: str) -> None:
    assert api(bob).get(filled(f"/api/{query}")).status_code == 200


def tomorrow() -> str:
    return (timezone.localdate() + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    "born", ["future", "1990-02-30", "yesterday", "1990-01-01T00:00", 1990, True, [], {}], ids=repr
)
def test_a_birth_date_is_a_day_that_was(api: Any, bob: Any, patient: Any, born: Any) -> None:
    client = api(bob)
    given = tomorrow() if born == "future" else born

    for send in (
        lambda: client.post("/api/patients/", {"full_name": "New", "birth_date": given}),
        lambda: client.patch(f"/api/patients/{patient.pk}/", {"birth_date": given}),
    ):
        assert list(refused(send, 400, "invalid")["fields"]) == ["birth_date"]


@pytest.mark.parametrize("born", ["today", "1990-01-31", "۱۹۹۰-۰۱-۳۱", None])
def test_a_birth_date_may_be_today_or_unknown(api: Any, bob: Any, born: Any) -> None:
    given = timezone.localdate().isoformat() if born == "today" else born

    answer = api(bob).post("/api/patients/", {"full_name": "New", "birth_date": given})

    assert answer.status_code == 201
    assert answer.json()["birth_date"] in (None, date(1990, 1, 31).isoformat(), timezone.localdate().isoformat())


@pytest.mark.parametrize("value", [*NOT_ONE_TO_FIVE], ids=lambda value: repr(value)[:12])
def test_a_severity_is_from_one_to_five(api: Any, bob: Any, diagnosis: Any, value: Any) -> None:
    client = api(bob)
    new = {"patient": str(diagnosis.patient_id), "condition": "headache", "severity": value}

    for send in (
        lambda: client.post("/api/diagnoses/", new),
        lambda: client.patch(f"/api/diagnoses/{diagnosis.pk}/", {"severity": value}),
    ):
        assert list(refused(send, 400, "invalid")["fields"]) == ["severity"]


@pytest.mark.parametrize(
    "days", [0, 731, -1, 4.5, True, "", "a week", HUGE, [], {}], ids=lambda value: repr(value)[:12]
)
def test_a_duration_is_at_most_two_years(api: Any, bob: Any, recommendation: Any, violet: Any, days: Any) -> None:
    client, root = api(bob), f"/api/recommendations/{recommendation.pk}/"

    for send in (
        lambda: client.patch(root, {"duration_days": days}),
        lambda: client.post(f"{root}replace/", {"remedy": "sweet-violet", "duration_days": days}),
    ):
        assert list(refused(send, 400, "invalid")["fields"]) == ["duration_days"]


@pytest.mark.parametrize("symptoms", ["pain", {"a": 1}, None, [None], [[]], [{}], ["x" * 201], ["x"] * 31, [True]],
                         ids=lambda value: repr(value)[:16])  # fmt: skip
def test_symptoms_are_a_short_list_of_texts(api: Any, bob: Any, diagnosis: Any, symptoms: Any) -> None:
    send = lambda: api(bob).patch(f"/api/diagnoses/{diagnosis.pk}/", {"symptoms": symptoms})  # noqa: E731

    assert list(refused(send, 400, "invalid")["fields"]) == ["symptoms"]


@pytest.mark.parametrize("path", [
    "/api/auth/register", "/api/auth/token", "/api/auth/token/refresh", "/api/patients/", "/api/diagnoses/",
    "/api/diagnoses/<diagnosis>/recommendations/", "/api/recommendations/<recommendation>/stop/",
    "/api/recommendations/<recommendation>/replace/", "/api/realtime/tickets", "/api/predictions/batch",
    "/api/patients/<patient>/contraindications/",
])  # fmt: skip
def test_every_create_wants_an_object(api: Any, bob: Any, filled: Any, path: str) -> None:
    client = api(bob)

    for data in NO_OBJECTS:
        refused(lambda data=data: client.generic("POST", filled(path), data, "application/json"), 400)


@pytest.mark.parametrize("path", [
    "/api/me", "/api/patients/<patient>/", "/api/diagnoses/<diagnosis>/", "/api/recommendations/<recommendation>/",
])  # fmt: skip
def test_every_change_wants_an_object(api: Any, bob: Any, filled: Any, path: str) -> None:
    client = api(bob)

    for data in NO_OBJECTS:
        refused(lambda data=data: client.generic("PATCH", filled(path), data, "application/json"), 400)


def test_an_idempotency_key_has_200_characters_at_most(api: Any, bob: Any) -> None:
    client = api(bob)
    post = lambda key: client.post("/api/patients/", {"full_name": "New"}, headers={"Idempotency-Key": key})  # noqa: E731

    assert list(refused(lambda: post("k" * 201), 400, "invalid")["fields"]) == ["Idempotency-Key"]
    assert post("k" * 200).status_code == 201


def signed(session: Session, *, key: str = settings.SECRET_KEY, algorithm: str = "HS256", **claims: Any) -> str:
    """An access token of the session, changed as said."""
    payload = tokens.issue(session)["access"]
    honest = jwt.decode(payload, options={"verify_signature": False})
    return jwt.encode(honest | claims, key, algorithm=algorithm)


FORGERIES: dict[str, Callable[[Session], str]] = {
    "expired": lambda s: signed(s, exp=1_600_000_000),
    "signed with another key": lambda s: signed(s, key="k" * 64),
    "not signed": lambda s: signed(s, key="", algorithm="none"),
    "for another audience": lambda s: signed(s, aud="elsewhere"),
    "from another issuer": lambda s: signed(s, iss="elsewhere"),
    "a refresh token": lambda s: tokens.issue(s)["refresh"],
    "of an unknown session": lambda s: signed(s, sid=str(uuid4())),
    "of no session": lambda s: str(AccessToken.for_user(s.user)),
    "with a broken session": lambda s: signed(s, sid=[1]),
    "with a NUL in the session": lambda s: signed(s, sid="\x00"),
    "broken": lambda s: "a.b.c",
    "in Persian": lambda s: "سلام".encode().decode("latin-1"),  # as a server hands it over
    "empty": lambda s: "",
    "two words": lambda s: "a b",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=list(FORGERIES))
def test_a_token_that_does_not_hold_signs_nobody_in(api: Any, alice: Any, report: Any, forge: Any) -> None:
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {forge(Session.objects.create(user=alice))}".strip())

    refused(lambda: client.post("/api/feedback/", report), 401, "not_authenticated")
    assert client.get("/api/me")["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic YTpi", "Token abc", "nonsense", "Bearer", "Bêarer x"])
def test_no_other_header_signs_in(api: Any, report: Any, header: str) -> None:
    client = api()
    client.credentials(HTTP_AUTHORIZATION=header)

    refused(lambda: client.post("/api/feedback/", report), 401, "not_authenticated")


def test_a_token_ends_with_its_session(api: Any, alice: Any, report: Any) -> None:
    client = api(alice)
    Session.objects.update(ended_at=timezone.now())

    refused(lambda: client.post("/api/feedback/", report), 401, "not_authenticated")


def test_a_token_ends_with_its_user(api: Any, alice: Any, report: Any) -> None:
    client = api(alice)
    alice.is_active = False
    alice.save()

    refused(lambda: client.post("/api/feedback/", report), 401, "not_authenticated")


@pytest.mark.parametrize("given", ["", "abc", "\x00", "a" * 2001, None, 5, [], {}], ids=lambda value: repr(value)[:8])
def test_what_is_no_refresh_token_renews_nothing(api: Any, alice: Any, given: Any) -> None:
    answer = api().post("/api/auth/token/refresh", {"refresh": given})

    assert answer.status_code in (400, 401)
    assert "error" in answer.json()


def test_an_access_token_renews_nothing(api: Any, alice: Any) -> None:
    session = Session.objects.create(user=alice)
    wrong = [tokens.issue(session)["access"], str(RefreshToken.for_user(alice))]

    for given in wrong:
        refused(lambda given=given: api().post("/api/auth/token/refresh", {"refresh": given}), 401, "not_authenticated")


@pytest.mark.parametrize(
    "body", [[], "x", 5, None, {"password": 5, "confirmation": []}, {"password": "x" * 201}], ids=repr
)
def test_an_erasure_takes_a_password_and_its_word(api: Any, alice: Any, patient: Any, body: Any) -> None:
    refused(lambda: api(alice).post("/api/me/erasure", body), 400)

    assert Patient.objects.get().erased_at is None


@pytest.mark.parametrize("value", [None, "", "x", 2, [], {}, [True]], ids=repr)
def test_a_consent_is_given_or_withdrawn(api: Any, alice: Any, patient: Any, value: Any) -> None:
    error = refused(lambda: api(alice).put("/api/me/consents", {"training": value}), 400, "invalid")

    assert list(error["fields"]) == ["training"]


def is_persian(text: str) -> bool:
    return any("\u0600" <= letter <= "\u06ff" for letter in text)


@pytest.mark.parametrize(("field", "value"), [
    ("rating", 0), ("rating", 6), ("rating", "x"), ("rating", None), ("comment", "x" * 501), ("client_id", "x"),
    ("recommendation", UNKNOWN), ("side_effects", "x"), ("side_effects", [{"effect": "x", "severity": 1}]),
])  # fmt: skip
def test_a_persian_caller_is_told_in_persian_what_is_wrong(
    api: Any, alice: Any, report: Any, field: str, value: Any
) -> None:
    error = refused(lambda: api(alice, accept_language="fa").post("/api/feedback/", report | {field: value}), 400)

    assert is_persian(json.dumps(error["fields"], ensure_ascii=False)), error


@pytest.mark.parametrize(("send", "status"), [
    (lambda client: client.put("/api/feedback/", {}), 405),
    (lambda client: client.generic("POST", "/api/feedback/", b"x", "text/plain"), 415),
    (lambda client: client.generic("POST", "/api/feedback/", b"{", "application/json"), 400),
    (lambda client: client.generic("POST", "/api/feedback/", b"[" * 100_000, "application/json"), 400),
    (lambda client: client.get("/api/feedback/", headers={"Accept": "application/json; version=9"}), 406),
    (lambda client: client.post("/api/patients/", {}), 403),
], ids=["method", "type", "syntax", "depth", "version", "role"])  # fmt: skip
def test_a_persian_caller_is_told_so_by_the_framework_too(api: Any, alice: Any, send: Any, status: int) -> None:
    client = api(alice, accept_language="fa")

    assert is_persian(refused(lambda: send(client), status)["message"])


def test_a_stranger_is_told_in_persian_to_sign_in(api: Any, db: None) -> None:
    assert is_persian(refused(lambda: api(accept_language="fa").get("/api/me"), 401)["message"])


@pytest.mark.parametrize(
    "query", ["feedback/?ordering=evil", "feedback/?rating_min=abc", "analytics/trending?limit=51"]
)
def test_a_persian_caller_is_told_what_is_wrong_with_a_query(api: Any, alice: Any, query: str) -> None:
    error = refused(lambda: api(alice, accept_language="fa").get(f"/api/{query}"), 400)

    assert is_persian(json.dumps(error["fields"], ensure_ascii=False)), error
