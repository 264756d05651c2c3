from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from rest_framework.test import APIClient


@pytest.fixture(scope="module")
def schema(tmp_path_factory: Any) -> Any:
    """As `manage.py spectacular` writes it; it refuses a schema that is not valid or that it had to guess at."""
    path: Path = tmp_path_factory.mktemp("schema") / "schema.yml"
    call_command("spectacular", file=str(path), validate=True, fail_on_warn=True)
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_schema_is_valid_and_complete(schema: Any) -> None:
    operations = {f"{method.upper()} {path}" for path, item in schema["paths"].items() for method in item}

    assert {"POST /api/feedback/", "PATCH /api/diagnoses/{id}/", "GET /api/analytics/trending"} <= operations
    assert not [operation for operation in operations if not operation.split()[1].startswith("/api/")]


def test_every_operation_is_under_a_heading(schema: Any) -> None:
    operations = [operation for item in schema["paths"].values() for operation in item.values()]

    assert {tag for operation in operations for tag in operation["tags"]} <= {
        "auth", "data rights", "catalogue", "clinic", "stream", "feedback", "analytics", "predictions", "operations",
    }  # fmt: skip


def test_signing_in_is_by_bearer_token(schema: Any) -> None:
    assert schema["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }


@pytest.mark.parametrize(
    "accept", ["application/vnd.oai.openapi", "application/vnd.oai.openapi+json", "application/json"]
)
def test_the_schema_is_served(accept: str) -> None:
    answer = APIClient().get("/schema", headers={"Accept": accept})

    assert answer.status_code == 200
    assert yaml.safe_load(answer.content)["info"]["title"] == "Avicenna"


def test_the_schema_served_is_the_one_validated(schema: Any) -> None:
    assert yaml.safe_load(APIClient().get("/schema").content)["paths"].keys() == schema["paths"].keys()


PAGES = ["/docs", "/redoc"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "fa"])
def test_the_pages_to_read_it_name_no_outside_host(path: str, language: str) -> None:
    answer = APIClient().get(path, headers={"Accept-Language": language})

    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
    page = answer.content.decode()
    links = re.findall(r"""(?:src|href)\s*=\s*["']?([^"'\s>]+)""", page)
    assert links and all(link.startswith(("/static/", f"{path}?")) for link in links), links
    assert not re.findall(r"""(?:https?:)?//[\w.-]+\.\w+""", re.sub(r"<!--.*?-->", "", page, flags=re.S))


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_may_load_nothing_from_elsewhere_and_run_no_script_of_their_own(path: str) -> None:
    answer = APIClient().get(path)

    rules = dict(rule.split(" ", 1) for rule in answer["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'self'" and "script-src" not in rules and "connect-src" not in rules
    assert {source for rule in rules.values() for source in rule.split()} <= {
        "'self'", "'none'", "'unsafe-inline'", "data:", "blob:",
    }  # fmt: skip
    assert "<script>" not in answer.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_are_only_read(path: str) -> None:
    client = APIClient()

    assert client.head(path).status_code == 200
    assert {client.generic(method, path).status_code for method in ("OPTIONS", "POST", "TRACE")} == {405}
