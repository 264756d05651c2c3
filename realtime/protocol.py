"""The protocol as documents made from the classes that serve it: docs/asyncapi.json, the tables of docs/stream.md."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import models_json_schema

from realtime.closing import CloseCode
from realtime.events import CLIENT_FRAMES, EVENTS, FRAMES, Body, Frame

ADDRESS = "/ws/diagnoses/{diagnosis_id}/"
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0: what the server sends (`receive` for a client) and what it takes."""
    server, client = EVENTS | FRAMES, CLIENT_FRAMES
    bodies: list[type[BaseModel]] = [*server.values(), *client.values(), Frame]
    _, shared = models_json_schema(
        [(body, "serialization") for body in bodies], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Avicenna event stream",
            "version": "1",
            "description": "Every event of one diagnosis once and in order. The guide is docs/stream.md.",
        },
        "defaultContentType": "application/json",
        "channels": {"diagnosis": _channel({**server, **client})},
        "operations": {
            "followDiagnosis": _operation("send", server),
            "answerServer": _operation("receive", client),
        },
        "components": {
            "schemas": shared["$defs"],
            "messages": {name: _server_message(name, body) for name, body in server.items()}
            | {name: _client_message(name, body) for name, body in client.items()},
        },
        "x-close-codes": {str(code.value): {"meaning": code.meaning, "client": code.advice} for code in CloseCode},
    }


def _channel(frames: dict[str, type[Body]]) -> dict[str, Any]:
    return {
        "address": ADDRESS,
        "parameters": {"diagnosis_id": {"description": "the id of a diagnosis that the caller may see"}},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {
                    "type": "object",
                    "properties": {
                        "ticket": {"type": "string", "description": "opens one socket once, within 30 seconds"},
                        "since": {"type": "integer", "minimum": 0, "description": "number of the newest event known"},
                    },
                },
            }
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in frames},
    }


def _operation(action: str, frames: dict[str, type[Body]]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/diagnosis"},
        "messages": [{"$ref": f"#/channels/diagnosis/messages/{name}"} for name in frames],
    }


def _server_message(name: str, body: type[Body]) -> dict[str, Any]:
    """The common frame around the body's own data."""
    frame = {
        "allOf": [
            {"$ref": "#/components/schemas/Frame"},
            {
                "type": "object",
                "properties": {
                    "type": {"const": name},
                    "data": {"$ref": f"#/components/schemas/{body.__name__}"},
                },
            },
        ]
    }
    return {"name": name, "summary": _summary(body), "payload": frame}


def _client_message(name: str, body: type[Body]) -> dict[str, Any]:
    return {"name": name, "summary": _summary(body), "payload": {"$ref": f"#/components/schemas/{body.__name__}"}}


def fill_tables(text: str) -> str:
    """`text` with what stands between `<!-- table: name -->` and `<!-- end -->` made anew."""
    tables = {"server": _server_table, "client": _client_table, "closing": _closing_table}
    return TABLE.sub(lambda found: f"{found[1]}\n{tables[found[2]]()}\n{found[3]}", text)


def _server_table() -> str:
    rows = [[f"`{name}`", "yes", _summary(body), _fields(body)] for name, body in EVENTS.items()]
    rows += [[f"`{name}`", "no", _summary(body), _fields(body)] for name, body in FRAMES.items()]
    return _table(["type", "numbered", "says", "data"], rows)


def _client_table() -> str:
    rows = [[f"`{name}`", _summary(body), _fields(body)] for name, body in CLIENT_FRAMES.items()]
    return _table(["type", "says", "beside `type`"], rows)


def _closing_table() -> str:
    rows = [[str(code.value), code.meaning, code.advice] for code in CloseCode]
    return _table(["code", "meaning", "what a client does"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _summary(body: type[Body]) -> str:
    return (inspect.getdoc(body) or "").replace("\n", " ")


def _fields(body: type[BaseModel]) -> str:
    fields = [(name, field) for name, field in body.model_fields.items() if name != "type"]
    return ", ".join(f"{name}{_values(field)}" for name, field in fields) or "–"


def _values(field: FieldInfo) -> str:
    """The range or the words a field may hold."""
    words = [word for word in get_args(field.annotation) if isinstance(word, str)]
    lows = [bound for limit in field.metadata if (bound := getattr(limit, "ge", None)) is not None]
    highs = [bound for limit in field.metadata if (bound := getattr(limit, "le", None)) is not None]
    if words:
        return f" ({', '.join(words)})"
    if lows and highs:
        return f" ({lows[0]}–{highs[0]})"
    return f" (≥ {lows[0]})" if lows else ""
