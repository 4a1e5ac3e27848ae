"""Sends requests and waits for their answers."""

from __future__ import annotations

import atexit
import os
import time
from contextlib import contextmanager
from typing import Dict, Iterator, Mapping, Optional, Tuple, TypeVar

import httpx

from .._config import ConnectionConfig, ResolvedConfig
from .._http import (
    HTTPX_ERRORS,
    RETRY_DELAYS,
    abort,
    answer_of,
    client_options,
    error_of,
    make_url,
    may_retry,
    timeout_of,
    transport_options,
)
from .._wire.body import Body
from .._wire.call import Answer, Call, Request

T = TypeVar("T")


class StreamedAnswer:
    """A successful answer whose body is read piece by piece."""

    def __init__(self, response: httpx.Response, config: ResolvedConfig) -> None:
        self._response = response
        self._config = config

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """Names are looked up without regard to case."""
        return self._response.headers

    def abort(self) -> None:
        """From any thread: who reads it finds its end, or an error. Not for an answer that was
        read to its end."""
        abort(self._response)

    def __iter__(self) -> Iterator[bytes]:
        """:raises NetworkError: when the body ends before its announced length."""
        try:
            yield from self._response.iter_raw()
        except HTTPX_ERRORS as cause:
            raise error_of(cause, self._config) from cause


class Transport:
    """Connections to one daemon. Safe to use from several threads."""

    def __init__(self, config: ResolvedConfig) -> None:
        self.config = config
        options = transport_options(config)
        transport = httpx.HTTPTransport(**options) if options else None
        self._client = httpx.Client(transport=transport, **client_options(config))

    def call(self, call: Call[T]) -> T:
        return call.parse(self.send(call.request))

    def send(self, request: Request, body: Optional[Body] = None) -> Answer:
        """The answer, read to its end.

        :raises SandportError: of the class that stands for the answer.
        """
        with self.open(request, body) as response:
            try:
                response.read()
            except HTTPX_ERRORS as cause:
                raise error_of(cause, self.config) from cause
            return answer_of(response, request)

    @contextmanager
    def stream(self, request: Request) -> Iterator[StreamedAnswer]:
        """The answer with its body still to be read."""
        with self.open(request) as response:
            if not response.is_success:
                try:
                    response.read()
                except HTTPX_ERRORS as cause:
                    raise error_of(cause, self.config) from cause
                answer_of(response, request)
            yield StreamedAnswer(response, self.config)

    @contextmanager
    def open(self, request: Request, body: Optional[Body] = None) -> Iterator[httpx.Response]:
        attempt = 1
        while True:
            try:
                response = self._client.send(self._build(request, body), stream=True)
                break
            except HTTPX_ERRORS as cause:
                if not may_retry(request, cause, attempt):
                    raise error_of(cause, self.config) from cause
                time.sleep(RETRY_DELAYS[attempt - 1])
                attempt += 1
        try:
            yield response
        finally:
            response.close()

    def _build(self, request: Request, body: Optional[Body]) -> httpx.Request:
        return self._client.build_request(
            request.method,
            make_url(self.config, request),
            headers=dict(request.headers),
            content=_reported(body) if body is not None else request.content or None,
            timeout=timeout_of(request, self.config),
        )

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()


def _reported(body: Body) -> Iterator[bytes]:
    for chunk in body:
        yield chunk
        body.report()


# Connections are shared by everything that talks to one daemon with one key. A forked child must
# not use its parent's, so the process id is part of the key.
_shared: Dict[Tuple[int, ResolvedConfig], Transport] = {}


def shared_transport(config: Optional[ConnectionConfig] = None) -> Transport:
    """:raises ConfigError: when no daemon is known."""
    key = (os.getpid(), (config or ConnectionConfig()).resolve())
    transport = _shared.get(key)
    if transport is None:
        transport = _shared.setdefault(key, Transport(key[1]))
    return transport


@atexit.register
def _close_shared() -> None:
    for (pid, _), transport in list(_shared.items()):
        if pid == os.getpid():
            transport.close()
    _shared.clear()
