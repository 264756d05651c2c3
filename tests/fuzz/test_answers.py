"""Requests made of the schema, valid and not, as each role: no failure of the server, no answer outside the schema.

`make test` sends one to each operation, `make test-all` some thousand, `make fuzz` (`tests/fuzz/__main__.py`) as many
as it is told, on PostgreSQL and Redis.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import TestCase
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from avicenna.wsgi import application
from tests.fuzz.clinic import Clinic

ROLES = ["nobody", "signed out", "patient", "other patient", "practitioner", "outsider"]
ROLES += ["reception", "head of the clinic", "operator"]
CASES = int(os.environ.get("FUZZ_CASES", "1500"))
SEED = os.environ.get("FUZZ_SEED", "1")
UNTIL = float(os.environ.get("FUZZ_UNTIL", "inf"))  # seconds since 1970
TALLY = os.environ.get("FUZZ_TALLY")  # a folder
settings.register_profile(
    "fuzz", database=None, deadline=None, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck)
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Fields and parameters of these names can mean something in the clinic; `id` and `slug` say it by what precedes them.
MEANING = {
    "patient": "patients",
    "diagnosis": "diagnoses",
    "diagnoses": "diagnoses",
    "recommendation": "recommendations",
    "recommendations": "recommendations",
    "remedy": "remedies",
    "condition": "conditions",
    "effect": "side-effects",
    "email": "emails",
    "password": "passwords",
    "current": "passwords",
    "refresh": "refreshes",
    "page": "pages",
}


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """The same without room for what is not named: a field that the schema does not know is an answer outside it."""
    for name, shape in document["components"]["schemas"].items():
        if "properties" in shape and not name.endswith("Request"):
            shape.setdefault("additionalProperties", False)
    return document


@pytest.fixture(scope="module")
def schema() -> Any:
    document = closed(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
    return schemathesis.openapi.from_dict(document)


@pytest.fixture(autouse=True)
def _the_connection_stays() -> Iterator[None]:
    """As Django's own test client has it: each request is within the transaction of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def settle(draw: DrawFn, clinic: Clinic, name: str, value: Any) -> Any:
    """Mostly a value that means something here, where one of this name can."""
    if isinstance(value, dict):
        return {key: settle(draw, clinic, key, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [settle(draw, clinic, name, inner) for inner in value]
    known = clinic.names.get(MEANING.get(name.removesuffix("_id"), name))
    return draw(st.sampled_from(known)) if known and draw(st.integers(0, 3)) else value


@st.composite
def requests(draw: DrawFn, operation: Any, clinic: Clinic) -> Case:
    mode = draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
    case: Case = draw(operation.as_strategy(generation_mode=mode))
    collection = operation.path.split("/{id}")[0].split("/{slug}")[0].rsplit("/", 1)[-1]
    names = {name: collection if name in ("id", "slug") else name for name in case.path_parameters}
    case.path_parameters = {
        name: settle(draw, clinic, names[name], value) for name, value in case.path_parameters.items()
    }
    case.query = {name: settle(draw, clinic, name, value) for name, value in (case.query or {}).items()}
    if isinstance(case.body, dict):
        case.body = settle(draw, clinic, "", case.body)
    return case


def answered(case: Case, token: str) -> schemathesis.Response:
    """What is written, and told after it, is taken back: each request meets the same clinic."""
    cache.clear()
    with transaction.atomic(), TestCase.captureOnCommitCallbacks(execute=True):
        answer = case.call(app=application, headers={"Authorization": f"Bearer {token}"} if token else {})
        transaction.set_rollback(True)
    return answer


class Asking:
    """Requests to one operation after the other, for one role each; what came is counted, what was wrong is kept."""

    def __init__(self, schema: Any) -> None:
        self.clinic, self.answers, self.wrong = Clinic(), Counter[str](), list[str]()
        self.operations = [result.ok() for result in schema.get_all_operations()]

    def ask(self, operation: Any, role: str, examples: int) -> None:
        token = self.clinic.token(role)

        def one(case: Case) -> None:
            if time.time() > UNTIL:
                return
            answer = answered(case, token)
            self.answers[f"{operation.label} {answer.status_code}"] += 1
            case.validate_response(answer, checks=CHECKS)

        few = settings(settings.get_profile("fuzz"), max_examples=examples)
        try:
            seed(f"{SEED} {role} {operation.label}")(few(given(requests(operation, self.clinic))(one)))()
        except (Exception, FailureGroup) as error:  # the other operations are asked all the same
            self.wrong.append(f"{role}, seed {SEED}: {operation.label}: {error}")


@pytest.fixture
def asking(db: None, schema: Any) -> Asking:
    return Asking(schema)


def test_one_answer_of_each_operation_is_one_of_the_schema(asking: Asking) -> None:
    for operation, role in zip(asking.operations, cycle(ROLES), strict=False):
        asking.ask(operation, role, 1)

    assert not asking.wrong, "\n\n".join(asking.wrong)


@pytest.mark.thorough
@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_one_of_the_schema(asking: Asking, role: str) -> None:
    for operation in asking.operations:
        asking.ask(operation, role, ceil(CASES / len(ROLES) / len(asking.operations)))

    if TALLY:
        (Path(TALLY) / f"{role}.json").write_text(json.dumps(asking.answers))
    assert not asking.wrong, "\n\n".join(asking.wrong)
