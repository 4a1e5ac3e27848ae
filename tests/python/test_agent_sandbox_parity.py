"""What `sandport.agent_sandbox` offers, beside what the real packages do."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
from running_daemon import REPOSITORY

GENERATIONS = ("0.4", "1.0")

#: Left out on purpose, and why.
NOT_OFFERED = {
    ".models.LegacyExecuteRequest": "a body on the wire, and nothing that programs make",
    ".files.filesystem.BinaryWriter": "there, with a parameter that has no name",
    ".files.async_filesystem.AsyncBinaryWriter": "likewise",
}
#: Of the extension for snapshots of one cloud.
NO_CONSTANTS = "PODSNAPSHOT"

#: Defaults that differ on purpose, and why.
OTHER_DEFAULTS = {
    ("create_sandbox", "template"): "the newer generation has no such argument",
    ("create_sandbox", "warmpool"): "the older generation does without",
}

Shape = Dict[str, Dict[str, Dict[str, Any]]]
Parameter = Tuple[str, str, bool, Any]


@pytest.fixture(scope="module", params=GENERATIONS)
def shape(request: pytest.FixtureRequest) -> Shape:
    python = REPOSITORY / ".setup" / "python-clients" / request.param / "bin" / "python"
    if not python.exists():
        pytest.skip(f"k8s-agent-sandbox {request.param} is not set up: run `npm run setup`")
    done = subprocess.run(
        [python, Path(__file__).with_name("package_shape.py")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    # Older ones write lines of log to their standard output.
    lines = [line[6:] for line in done.stdout.splitlines() if line.startswith("SHAPE ")]
    found: Shape = json.loads(lines[0])
    assert found[""]
    return found


def ours(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"sandport.agent_sandbox{module}"), name)


def everything(shape: Shape, key: str) -> List[Tuple[str, str, Any]]:
    """``(module, name, what)`` of all names that have this."""
    return [
        (module, name, what[key])
        for module, names in shape.items()
        for name, what in names.items()
        if what.get(key) and f"{module}.{name}" not in NOT_OFFERED
    ]


def test_every_name_is_there(shape: Shape) -> None:
    missing = []
    for module, names in shape.items():
        there = importlib.import_module(f"sandport.agent_sandbox{module}")
        missing += [
            f"{module}.{name}"
            for name in names
            if not hasattr(there, name)
            and f"{module}.{name}" not in NOT_OFFERED
            and not name.startswith(NO_CONSTANTS)
        ]
    assert missing == []


def takes_what(function: Callable[..., Any], wanted: List[Parameter], skip: int) -> None:
    """Calls that the other one takes, by position and by name, must bind to this one."""
    signature = inspect.signature(function)
    first = [None] * skip
    by_position = [name for name, kind, *_ in wanted if kind == "POSITIONAL_OR_KEYWORD"]
    by_name = [name for name, kind, *_ in wanted if kind == "KEYWORD_ONLY"]
    signature.bind(*first, *by_position, **dict.fromkeys(by_name))
    signature.bind(*first, **dict.fromkeys([*by_position, *by_name]))
    signature.bind(*first, *[name for name, _, has_default, _ in wanted if not has_default])
    for name, _, has_default, default in wanted:
        parameter = signature.parameters.get(name)
        if parameter is None or not has_default:
            continue
        if (function.__name__, name) in OTHER_DEFAULTS or default is None:
            continue
        assert parameter.default == default, f"{function.__qualname__}({name})"


def test_every_method_takes_the_same_calls(shape: Shape) -> None:
    seen = 0
    for module, name, members in everything(shape, "members"):
        if shape[module][name]["is_error"]:
            continue
        for method, wanted in members.items():
            value = inspect.getattr_static(ours(module, name), method, None)
            assert value is not None, f"{module}.{name}.{method} is missing"
            if wanted is None:
                assert isinstance(value, property), f"{module}.{name}.{method}"
            else:
                takes_what(value, wanted, skip=1)
            seen += 1
    assert seen > 40


def test_every_function_takes_the_same_calls(shape: Shape) -> None:
    for module, name, wanted in everything(shape, "parameters"):
        takes_what(ours(module, name), wanted, skip=0)


def test_asynchronous_methods_are_that(shape: Shape) -> None:
    for module, name, members in everything(shape, "members"):
        if not name.startswith("Async") or "Writer" in name:
            continue
        for method in members:
            value = inspect.getattr_static(ours(module, name), method)
            if method != "__init__" and not isinstance(value, property):
                assert inspect.iscoroutinefunction(value), f"{name}.{method}"


def test_every_error_is_below_the_same_ones(shape: Shape) -> None:
    for module, name, ancestors in everything(shape, "ancestors"):
        if shape[module][name]["is_error"]:
            mine = [each.__name__ for each in ours(module, name).__mro__]
            # Under another name it may be the same class.
            assert set(ancestors) <= set(mine), f"{module}.{name}"


def test_every_model_takes_the_same_fields(shape: Shape) -> None:
    seen = 0
    for module, name, fields in everything(shape, "fields"):
        signature = inspect.signature(ours(module, name))
        for field, (required, default) in fields.items():
            parameter = signature.parameters[field]
            if not required and default is not None:
                assert parameter.default == default, f"{name}.{field}"
        signature.bind(**{field: None for field, (required, _) in fields.items() if required})
        seen += 1
    assert seen > 6
