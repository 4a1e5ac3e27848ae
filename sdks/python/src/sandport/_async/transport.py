"""Sends requests and awaits their answers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import AsyncIterator, Mapping, Optional, TypeVar

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
from .._wire.call import Answer, Call, Request
from .body import AsyncBody

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
        """From any task: who reads it finds its end, or an error. Not for an answer that was read
        to its end."""
        abort(self._response)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """:raises NetworkError: when the body ends before its announced length."""
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except HTTPX_ERRORS as cause:
            raise error_of(cause, self._config) from cause


class AsyncTransport:
    """Connections to one daemon, for one event loop. Opened by the first request; a request after
    :meth:`aclose` opens them again."""

    def __init__(self, config: Optional[ConnectionConfig] = None) -> None:
        """:raises ConfigError: when no daemon is known."""
        self.config = (config or ConnectionConfig()).resolve()
        self._client: Optional[httpx.AsyncClient] = None

    async def call(self, call: Call[T]) -> T:
        return call.parse(await self.send(call.request))

    async def send(self, request: Request, body: Optional[AsyncBody] = None) -> Answer:
        """The answer, read to its end.

        :raises SandportError: of the class that stands for the answer.
        """
        async with self.open(request, body) as response:
            try:
                await response.aread()
            except HTTPX_ERRORS as cause:
                raise error_of(cause, self.config) from cause
            return answer_of(response, request)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[StreamedAnswer]:
        """The answer with its body still to be read."""
        async with self.open(request) as response:
            if not response.is_success:
                try:
                    await response.aread()
                except HTTPX_ERRORS as cause:
                    raise error_of(cause, self.config) from cause
                answer_of(response, request)
            yield StreamedAnswer(response, self.config)

    @asynccontextmanager
    async def open(
        self, request: Request, body: Optional[AsyncBody] = None
    ) -> AsyncIterator[httpx.Response]:
        attempt = 1
        while True:
            client = self._opened()
            try:
                response = await client.send(self._build(client, request, body), stream=True)
                break
            except HTTPX_ERRORS as cause:
                if not may_retry(request, cause, attempt):
                    raise error_of(cause, self.config) from cause
                await asyncio.sleep(RETRY_DELAYS[attempt - 1])
                attempt += 1
        try:
            yield response
        finally:
            await response.aclose()

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            options = transport_options(self.config)
            transport = httpx.AsyncHTTPTransport(**options) if options else None
            self._client = httpx.AsyncClient(transport=transport, **client_options(self.config))
        return self._client

    def _build(
        self, client: httpx.AsyncClient, request: Request, body: Optional[AsyncBody]
    ) -> httpx.Request:
        return client.build_request(
            request.method,
            make_url(self.config, request),
            headers=dict(request.headers),
            content=body if body is not None else request.content or None,
            timeout=timeout_of(request, self.config),
        )

    async def aclose(self) -> None:
        """Ends the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
