"""The house rules a machine can hold: who imports whom, who writes, who reaches the channel layer."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ["avicenna", "accounts", "audit", "diagnoses", "feedback", "analytics", "predictions", "realtime", "dashboard"]
PURE = [
    "predictions.engine",
    "predictions.design_matrix",
    "predictions.posterior",
    "predictions.selection",
    "predictions.learning",
    "predictions.softening",
    "predictions.stored_model",
    "predictions.metrics",
    "predictions.figures",
    "predictions.fairness",
    "predictions.baselines",
    "analytics.effectiveness",
]
# Layers of one app, the lower first; nothing imports from above its own line.
OUTER = ("views", "admin", "urls", "consumers", "management", "serializers", "filters")


@cache
def modules() -> dict[str, Path]:
    """Every module of ours, by dotted name; migrations aside."""
    paths = (path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def imports(module: str) -> frozenset[str]:
    """Everything a module imports when it is loaded, as dotted names; what only type checkers read is left out."""
    found: set[str] = set()
    for node in _executed(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def _executed(tree: ast.AST) -> list[ast.AST]:
    nodes: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue  # imported when called
        nodes += [node, *_executed(node)]
    return nodes


def ours(module: str) -> set[str]:
    return {name for name in imports(module) if name in modules()}


def is_within(package: str, module: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def offenders(package: str, forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{module} imports {name}"
        for module in modules()
        if is_within(package, module)
        for name in sorted(imports(module))
        if name.startswith(forbidden)
    ]


def test_there_is_no_cycle() -> None:
    # an app's __init__ is empty here: importing a module of it is importing that module
    graph = {module: ours(module) - {module} for module in modules()}

    assert list(TopologicalSorter(graph).static_order())


def test_the_plumbing_knows_no_domain() -> None:
    wiring = ("avicenna.urls", "avicenna.asgi", "avicenna.permissions", "avicenna.management", "avicenna.jobs")
    domain = ("diagnoses", "feedback", "analytics", "predictions", "realtime", "dashboard")
    found = [line for line in offenders("avicenna", domain) if not line.startswith(wiring)]

    assert found == []


@pytest.mark.parametrize("module", ["realtime.events", "realtime.publish"])
def test_events_and_publish_know_no_app(module: str) -> None:
    assert offenders(module, ("accounts", "diagnoses", "feedback", "analytics", "predictions", "dashboard")) == []


@pytest.mark.parametrize("module", PURE)
def test_the_mathematics_knows_no_django(module: str) -> None:
    assert offenders(module, ("django", "rest_framework", "channels", *APPS[:-1])) in ([], _own(module))


def _own(module: str) -> list[str]:
    """The mathematics may import mathematics."""
    return [f"{module} imports {name}" for name in sorted(imports(module)) if name.startswith(tuple(PURE))]


def test_loading_the_mathematics_does_not_load_django() -> None:
    loads = f"import sys, {', '.join(PURE)}; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loads], cwd=ROOT).returncode == 0


def test_actions_know_no_request() -> None:
    for module in modules():
        if module.split(".")[1:2] in (["actions"], ["querysets"], ["models"]):
            above = [name for name in ours(module) if name.split(".")[1:2] in [[layer] for layer in OUTER]]
            assert above == [], f"{module} imports {above}"


def test_only_publish_and_the_hub_reach_the_channel_layer() -> None:
    reaching = {
        module
        for module, path in modules().items()
        if "channel_layer" in (text := path.read_text(encoding="utf-8")) or "group_send" in text
    }

    assert reaching == {"realtime.publish", "realtime.hub"}
    sending = {module for module, path in modules().items() if "group_send" in path.read_text(encoding="utf-8")}
    assert sending == {"realtime.publish"}


def test_only_actions_write() -> None:
    """Views, serializers, admin and consumers call actions; they never save, create, update or delete themselves."""
    writes = {"save", "create", "bulk_create", "bulk_update", "update", "delete", "get_or_create", "update_or_create"}
    found = []
    for module, path in modules().items():
        if module.split(".")[1:2] not in (["views"], ["serializers"], ["admin"], ["consumers"], ["filters"]):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if is_call and node.func.attr in writes and "objects" in ast.unparse(node.func):
                found.append(f"{module}:{node.lineno}: {ast.unparse(node.func)}")
    assert found == []


def test_viewsets_start_from_nothing() -> None:
    """`queryset = X.objects.none()`: a forgotten override leaks nothing. The catalogue is for everyone."""
    for module, path in modules().items():
        if module.split(".")[1:2] != ["views"]:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip().startswith("queryset ="):
                assert line.strip().endswith((".none()", *(f"{c}.objects.all()" for c in CATALOGUE))), (
                    f"{module}: {line}"
                )


CATALOGUE = ("Condition", "Remedy", "SideEffect")


# The catalogue is nobody's data, a key says nothing, and what counts follows from a consent that is told.
TELLS_NOTHING = {"save_term", "give_key", "set_counted"}
# What the modules of a package share.
NO_ACT = {"lock_patient", "require_for", "require_unchanged", "diagnosis_update"}


@pytest.mark.parametrize("module", ["diagnoses.actions", "diagnoses.glass", "feedback.actions"])
def test_every_act_on_a_patients_data_tells_the_audit_trail(module: str) -> None:
    """By itself or through what it calls in its module or package."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for name, path in modules().items() if is_within(module, name)]
    nodes = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    functions = {node.name: node for node in nodes}
    assert len(functions) == len(nodes)  # they are told apart by their names

    def tells(name: str, seen: frozenset[str] = frozenset()) -> bool:
        called = [ast.unparse(node.func) for node in ast.walk(functions[name]) if isinstance(node, ast.Call)]
        if any(call in {"trail.created", "trail.creating", "trail.changed", "trail.broke_glass"} for call in called):
            return True
        return any(tells(call, seen | {name}) for call in called if call in functions and call not in seen | {name})

    acts = {name for name in functions if not name.startswith("_")} - TELLS_NOTHING - NO_ACT
    assert acts and {name for name in acts if not tells(name)} == set()
