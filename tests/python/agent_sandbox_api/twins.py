"""One test for the client and for its asynchronous twin."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Callable, Type

import pytest

import sandport


class Waiting:
    """An object of the asynchronous API, whose results are waited for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: Any) -> None:
        self._loop = loop
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return self._given(getattr(self._target, name))

    def _given(self, value: Any) -> Any:
        if inspect.ismethod(value):
            return lambda *args, **kwargs: self._given(value(*args, **kwargs))
        if inspect.isawaitable(value):
            return self._given(self._loop.run_until_complete(value))
        asynchronous = type(value).__name__.startswith("Async")
        return Waiting(self._loop, value) if asynchronous else value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Waiting) and self._target is other._target

    def __enter__(self) -> Waiting:
        self._loop.run_until_complete(self._target.__aenter__())
        return self

    def __exit__(self, *details: Any) -> None:
        self._loop.run_until_complete(self._target.__aexit__(*details))


def native(box: Any) -> sandport.Sandbox:
    return sandport.Sandbox.get(box.sandbox_id)


def raised(kind: Type[BaseException], call: Callable[..., Any], *args: Any, **given: Any) -> Any:
    """The error that a call with these arguments raises."""
    with pytest.raises(kind) as caught:
        call(*args, **given)
    return caught.value
