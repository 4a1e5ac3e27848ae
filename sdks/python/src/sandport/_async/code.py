"""Code whose variables live on, in one sandbox."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Optional, Type

from .._wire import code
from .._wire.call import Request
from .._wire.code import ErrorCallback, ResultCallback, StreamedCode
from .._wire.output_text import OutputCallback
from .._wire.sse import EventParser
from ..code_models import CodeContextInfo, CodeExecution
from ..errors import NotFoundError
from .transport import AsyncTransport


class AsyncCodeContext:
    """Code runs here one after the other, and variables live from one run to the next. As a context
    manager it is closed at the end of the block."""

    def __init__(self, transport: AsyncTransport, info: CodeContextInfo) -> None:
        self._transport = transport
        self._info = info

    @property
    def id(self) -> str:
        return self._info.id

    @property
    def language(self) -> str:
        """``python``, ``javascript`` or ``shell``."""
        return self._info.language

    @property
    def info(self) -> CodeContextInfo:
        """The context at the last answer about it; :meth:`refresh` asks again."""
        return self._info

    async def refresh(self) -> CodeContextInfo:
        """:raises NotFoundError: when it is closed."""
        self._info = await self._transport.call(code.get(self._info.sandbox_id, self.id))
        return self._info

    async def run(
        self,
        source: str,
        *,
        timeout: Optional[float] = None,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
        on_result: Optional[ResultCallback] = None,
        on_error: Optional[ErrorCallback] = None,
    ) -> CodeExecution:
        """Runs code, after what runs here already; see :meth:`AsyncSandbox.run_code`."""
        request = code.run(self._info.sandbox_id, self.id, source, None, timeout)
        streamed = StreamedCode(on_stdout, on_stderr, on_result, on_error)
        return await run_streamed(self._transport, request, streamed)

    #: The same as :meth:`run`.
    run_code = run

    async def interrupt(self) -> None:
        """The code that runs ends with an error; the variables stay. No error when none runs."""
        await self._transport.call(code.interrupt(self._info.sandbox_id, self.id))

    async def restart(self) -> None:
        """Ends what runs, and forgets all variables."""
        self._info = await self._transport.call(code.restart(self._info.sandbox_id, self.id))

    async def close(self) -> None:
        """Ends it, and what runs here. No error when it is gone."""
        with suppress(NotFoundError):
            await self._transport.call(code.delete(self._info.sandbox_id, self.id))

    async def __aenter__(self) -> AsyncCodeContext:
        return self

    async def __aexit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.language}>"


async def run_streamed(
    transport: AsyncTransport, request: Request, streamed: StreamedCode
) -> CodeExecution:
    parser = EventParser()
    async with transport.stream(request) as answer:
        async for chunk in answer:
            for event in parser.feed(chunk):
                streamed.handle(event)
            if streamed.ended:
                break
    return streamed.execution()
