"""Callbacks for output, as callers give them."""

from __future__ import annotations

from typing import Callable, Optional

from ..command_models import CommandOutput
from .output_text import OutputCallback

#: Called with each piece, as it arrives.
PieceCallback = Callable[[CommandOutput], None]

#: Called with bytes of a terminal, as they arrive.
DataCallback = Callable[[bytes], None]


def on_text(
    on_stdout: Optional[OutputCallback], on_stderr: Optional[OutputCallback]
) -> Optional[PieceCallback]:
    """One callback of two; None when there is neither."""
    if on_stdout is None and on_stderr is None:
        return None

    def on_piece(piece: CommandOutput) -> None:
        callback = on_stdout if piece.stream == "stdout" else on_stderr
        if callback is not None and piece.text:
            callback(piece.text)

    return on_piece


def on_bytes(on_data: Optional[DataCallback]) -> Optional[PieceCallback]:
    if on_data is None:
        return None
    told: DataCallback = on_data

    def on_piece(piece: CommandOutput) -> None:
        if piece.data:
            told(piece.data)

    return on_piece
