"""Prints, as JSON, what a package that is imported as k8s_agent_sandbox offers. Run by the Python
of an environment that has it; imports nothing but that."""

import importlib
import inspect
import json
from typing import Any, Dict, List

MODULES = [
    "",
    ".async_sandbox",
    ".async_sandbox_client",
    ".commands.async_command_executor",
    ".commands.command_executor",
    ".constants",
    ".exceptions",
    ".files.async_filesystem",
    ".files.filesystem",
    ".metrics_utils",
    ".models",
    ".pod_metadata",
    ".sandbox",
    ".sandbox_client",
]


def simple(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float, bool)) else None


def parameters(function: Any) -> List[Any]:
    """Without `self`; of each its name, its kind, whether it has a default, and a simple one."""
    found = list(inspect.signature(function).parameters.values())
    return [
        [each.name, each.kind.name, each.default is not each.empty, simple(each.default)]
        for each in found
        if each.name != "self"
    ]


def members(cls: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = {"__init__": parameters(cls.__init__)}
    for name in dir(cls):
        if name.startswith("_") or name.startswith("model_") or hasattr(object, name):
            continue
        value = inspect.getattr_static(cls, name)
        if isinstance(value, (staticmethod, classmethod)):
            value = value.__func__
        if inspect.isfunction(value):
            found[name] = parameters(value)
        elif isinstance(value, property):
            found[name] = None
    return found


def ancestors(cls: Any) -> List[str]:
    return [each.__name__ for each in cls.__mro__[1:]]


def fields(cls: Any) -> Dict[str, Any]:
    """Of a model: what its constructor takes, and the default where it is a simple one."""
    return {
        name: [field.is_required(), simple(None if field.is_required() else field.default)]
        for name, field in getattr(cls, "model_fields", {}).items()
    }


def shape() -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for suffix in MODULES:
        try:
            module = importlib.import_module(f"k8s_agent_sandbox{suffix}")
        except ModuleNotFoundError:
            continue
        names = found.setdefault(suffix, {})
        for name, value in vars(module).items():
            if name.startswith("_") or inspect.ismodule(value):
                continue
            # What a module merely imports is looked at where it comes from.
            is_offered = getattr(value, "__module__", "") == f"k8s_agent_sandbox{suffix}"
            if inspect.isclass(value) and (is_offered or suffix == ""):
                model = fields(value)
                names[name] = {
                    "ancestors": ancestors(value),
                    "fields": model,
                    "members": {} if model else members(value),
                    "is_error": issubclass(value, BaseException),
                }
            elif inspect.isfunction(value) and (is_offered or suffix == ""):
                names[name] = {"parameters": parameters(value)}
            elif suffix == ".constants" and isinstance(value, str):
                names[name] = {"text": value}
    return found


if __name__ == "__main__":
    print("SHAPE " + json.dumps(shape()))
