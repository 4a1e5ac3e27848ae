"""Bodies of requests for asyncio: disks are read in a thread, so that the loop goes on."""

from __future__ import annotations

from typing import AsyncIterable, AsyncIterator, Optional, Union

from .._wire.body import Body, BytesLike, Content, MemoryBody, as_bytes, make_body
from .threads import in_thread

#: What the synchronous client takes, and asynchronous iterables of bytes.
AsyncContent = Union[Content, AsyncIterable[BytesLike]]


class AsyncBody:
    """Chunks of a body, counted and hashed as they are taken. To be iterated once."""

    _source: Optional[AsyncIterable[BytesLike]]

    def __init__(self, content: Union[AsyncContent, Body]) -> None:
        """:raises TypeError: for what cannot be written to a file."""
        if isinstance(content, Body):
            self._source = None
            self.body = content
        elif isinstance(content, AsyncIterable):
            self._source = content
            self.body = Body((), None)
        else:
            self._source = None
            self.body = make_body(content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._source is not None:
            async for chunk in self._source:
                data = as_bytes(chunk)
                if data:  # An empty chunk would end a chunked body.
                    yield self.body.take(data)
        elif isinstance(self.body, MemoryBody):
            for data in self.body:
                yield data
        else:
            while True:
                # Reading and hashing leave the interpreter lock; StopIteration cannot cross.
                data = await in_thread(next, self.body, b"")
                if not data:
                    return
                yield data
                self.body.report()
