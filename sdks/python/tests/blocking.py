"""The asynchronous client seen as a synchronous one, so that one test serves both."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from typing import Any, Iterator

from sandport import ForkTree


class Blocking:
    """Stands for an object of the asynchronous API; what it gives back is waited for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: Any) -> None:
        self._loop = loop
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return wrap(self._loop, getattr(self._target, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return wrap(self._loop, self._target(*args, **kwargs))

    def __enter__(self) -> Any:
        return wrap(self._loop, self._loop.run_until_complete(self._target.__aenter__()))

    def __exit__(self, *details: Any) -> None:
        self._loop.run_until_complete(self._target.__aexit__(*details))

    def __iter__(self) -> Iterator[Any]:
        steps = self._target.__aiter__()
        try:
            while True:
                try:
                    yield wrap(self._loop, self._loop.run_until_complete(steps.__anext__()))
                except StopAsyncIteration:
                    return
        finally:
            self._loop.run_until_complete(steps.aclose())


def wrap(loop: asyncio.AbstractEventLoop, value: Any) -> Any:
    if inspect.isawaitable(value):
        return wrap(loop, loop.run_until_complete(_wait(value)))
    if isinstance(value, list):
        return [wrap(loop, item) for item in value]
    if isinstance(value, ForkTree):
        return replace(value, children=tuple(wrap(loop, child) for child in value))
    asynchronous = type(value).__module__.startswith("sandport._async")
    if asynchronous or inspect.isasyncgen(value) or inspect.ismethod(value):
        return Blocking(loop, value)
    return value


async def _wait(value: Any) -> Any:
    return await value
