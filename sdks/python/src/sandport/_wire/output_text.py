"""Output of commands: bytes of events, and text that does not depend on how they are cut."""

from __future__ import annotations

import codecs
from typing import Any, Callable, List, Mapping, Optional

from .._values import base64_bytes

#: Called with a piece of output, as it arrives.
OutputCallback = Callable[[str], None]

#: Bytes of stdout and of stderr, each, that a result keeps; as ``exec`` does.
MAX_KEPT_BYTES = 10 * 1024 * 1024


def chunk_of(data: Mapping[str, Any]) -> bytes:
    """The bytes that an event of output carries."""
    encoded = data.get("chunk_base64")
    piece = base64_bytes(encoded) if isinstance(encoded, str) else None
    return str(data.get("chunk", "")).encode("utf-8", "replace") if piece is None else piece


class OutputText:
    """One of stdout and stderr: decoded across pieces, kept up to a limit."""

    def __init__(self, callback: Optional[OutputCallback] = None) -> None:
        self._callback = callback
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._kept: List[str] = []
        self._room = MAX_KEPT_BYTES
        self.truncated = False

    def feed(self, piece: bytes) -> str:
        """The text that this piece completes."""
        text = self._text(self._decoder.decode(piece))
        self.truncated = self.truncated or len(piece) > self._room
        self._room = max(0, self._room - len(piece))
        return text

    def finish(self) -> str:
        """Ends here; gives U+FFFD when a character was begun."""
        return self._text(self._decoder.decode(b"", final=True))

    def skip(self) -> str:
        """Bytes are missing here; gives what :meth:`finish` gives."""
        self.truncated = True
        return self.finish()

    @property
    def kept(self) -> str:
        """The text until now, up to the limit."""
        if len(self._kept) > 1:
            self._kept = ["".join(self._kept)]
        return self._kept[0] if self._kept else ""

    def _text(self, text: str) -> str:
        if text and self._room > 0:
            self._kept.append(text[: self._room])
        if text and self._callback is not None:
            self._callback(text)
        return text
