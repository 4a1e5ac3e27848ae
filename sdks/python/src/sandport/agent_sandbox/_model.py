"""Data classes that take what the models of the agent-sandbox API take."""

from __future__ import annotations

import dataclasses
import functools
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Type, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_options: Any) -> Callable[[Any], Any]:
        return lambda decorated: decorated


C = TypeVar("C")
M = TypeVar("M", bound="Model")


@dataclass_transform()
def model(cls: Type[C]) -> Type[C]:
    """A data class whose constructor passes over keyword arguments that it does not know: other
    versions of the API have other ones."""
    made = dataclasses.dataclass(cls)
    known = {field.name for field in dataclasses.fields(made) if field.init}  # type: ignore[arg-type]
    original = made.__init__

    @functools.wraps(original)
    def construct(self: Any, *args: Any, **given: Any) -> None:
        original(self, *args, **{key: value for key, value in given.items() if key in known})

    made.__init__ = construct  # type: ignore[method-assign]
    return made


class Model:
    """What every model can do beside its fields."""

    def model_dump(self, *, mode: str = "python", exclude_none: bool = False) -> Dict[str, Any]:
        """The fields as a dict; with ``mode="json"`` of what JSON has."""
        fields = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }
        return {
            key: value.isoformat() if mode == "json" and isinstance(value, datetime) else value
            for key, value in fields.items()
            if not (exclude_none and value is None)
        }

    def model_dump_json(self, *, exclude_none: bool = False) -> str:
        """The fields as JSON text."""
        return json.dumps(self.model_dump(mode="json", exclude_none=exclude_none))

    @classmethod
    def model_validate(cls: Type[M], value: Any) -> M:
        """From a mapping of fields, or a model as it is."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"{cls.__name__} is made from a mapping, not {type(value).__name__}")
        return cls(**value)


def checked_text(name: str, value: Any) -> str:
    """:raises ValueError: for what is no string."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string, not {type(value).__name__}")
    return value


def checked_int(name: str, value: Any) -> int:
    """A whole number, also one written as text.

    :raises ValueError: for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{name} must be a whole number, not {type(value).__name__}")
    number = int(value)
    if isinstance(value, float) and number != value:
        raise ValueError(f"{name} must be a whole number, not {value!r}")
    return number


def checked_port(name: str, value: Any) -> int:
    port = checked_int(name, value)
    if not 1 <= port <= 65_535:
        raise ValueError(f"{name} must be a port between 1 and 65535, not {port}")
    return port
