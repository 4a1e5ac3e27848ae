"""Carries flows out on the event loop; what blocks goes into threads."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, List, Optional, TypeVar

from .._flow import Flow, Receive, Send, Sleep, Step, Together, Work
from .._wire.body import CHUNK_BYTES
from .body import AsyncBody
from .threads import in_thread
from .transport import AsyncTransport, StreamedAnswer

T = TypeVar("T")


async def run_flow(transport: AsyncTransport, flow: Flow[T]) -> T:
    value: Any = None
    error: Optional[BaseException] = None
    while True:
        try:
            step = flow.send(value) if error is None else flow.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        value, error = None, None
        try:
            value = await _carry_out(transport, step)
        except BaseException as cause:  # The flow decides, and cleans up.
            error = cause


async def _carry_out(transport: AsyncTransport, step: Step) -> Any:
    if isinstance(step, Send):
        body = None if step.body is None else AsyncBody(step.body)
        return await transport.send(step.request, body)
    if isinstance(step, Receive):
        async with transport.stream(step.request) as answer:
            step.sink.begin(answer.status, answer.headers)
            async for pieces in gathered(answer):
                await in_thread(step.sink.feed, pieces)
                step.sink.report()
        return None
    if isinstance(step, Sleep):
        return await asyncio.sleep(step.seconds)
    if isinstance(step, Work):
        return await in_thread(step.function)
    return await _together(transport, step)


async def _together(transport: AsyncTransport, step: Together) -> List[Any]:
    tasks = [asyncio.ensure_future(run_flow(transport, flow)) for flow in step.flows]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def gathered(answer: StreamedAnswer) -> AsyncIterator[List[bytes]]:
    """Pieces of the body, as many as are worth a trip to a thread."""
    pieces: List[bytes] = []
    size = 0
    async for piece in answer:
        pieces.append(piece)
        size += len(piece)
        if size >= CHUNK_BYTES:
            yield pieces
            pieces, size = [], 0
    if pieces:
        yield pieces
