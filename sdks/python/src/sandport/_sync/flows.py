"""Carries flows out, one step after the other."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, Generator, List, Optional, TypeVar

from .._flow import Flow, Receive, Send, Sleep, Step, Together, Work
from .transport import Transport

T = TypeVar("T")


class _Stopped(BaseException):
    """Another of the flows that run together failed."""


def run_flow(transport: Transport, flow: Flow[T], stop: Optional[threading.Event] = None) -> T:
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
            value = _carry_out(transport, step, stop)
        except BaseException as cause:  # The flow decides, and cleans up.
            error = cause


def _carry_out(transport: Transport, step: Step, stop: Optional[threading.Event]) -> Any:
    if isinstance(step, Send):
        return transport.send(step.request, step.body)
    if isinstance(step, Receive):
        return _receive(transport, step, stop)
    if isinstance(step, Sleep):
        if stop is None:
            time.sleep(step.seconds)
        elif stop.wait(step.seconds):
            raise _Stopped
        return None
    if isinstance(step, Work):
        return step.function()
    return _together(transport, step)


def _receive(transport: Transport, step: Receive, stop: Optional[threading.Event]) -> None:
    with transport.stream(step.request) as answer:
        step.sink.begin(answer.status, answer.headers)
        for piece in answer:
            if stop is not None and stop.is_set():
                raise _Stopped
            step.sink.feed([piece])
            step.sink.report()


def _together(transport: Transport, step: Together) -> List[Any]:
    stop = threading.Event()

    def run(flow: Generator[Any, Any, Any]) -> Any:
        return run_flow(transport, flow, stop)

    with ThreadPoolExecutor(len(step.flows), "sandport") as pool:
        futures: List[Future[Any]] = [pool.submit(run, flow) for flow in step.flows]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()
        for future in done:
            error = future.exception()
            if error is not None and not isinstance(error, _Stopped):
                raise error
    return [future.result() for future in futures]
