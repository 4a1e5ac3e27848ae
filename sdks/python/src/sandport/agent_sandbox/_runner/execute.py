"""A program as ``__main__``, up to its end."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import ModuleType, TracebackType
from typing import List, Optional

from .program import NoProgram, Program

_HERE = os.path.dirname(os.path.abspath(__file__))


def execute(program: Program) -> None:
    """Runs it as ``python`` would: an error that it does not catch goes to ``sys.excepthook``
    without the frames that lead to it, and ends the process with 1; an interrupt with SIGINT.

    :raises SystemExit: when the program ends by that, or by an error.
    :raises NoProgram: when there is nothing to run.
    """
    interrupted: List[bool] = []
    # Registered first, it is called last.
    atexit.register(_end_by_interrupt, interrupted)
    # The module that ran until now must stay: its functions are still on the stack.
    before = sys.modules["__main__"]
    main = ModuleType("__main__")
    main.__dict__.update(__annotations__={}, __builtins__=__builtins__, __loader__=None)
    sys.modules["__main__"] = main
    try:
        code, names = program.load()
        main.__dict__.update(names)
        exec(code, main.__dict__)
        return
    except (SystemExit, NoProgram):
        raise
    except BaseException as error:
        caught = error
    finally:
        _kept.append(before)
    caught.__traceback__ = _of_the_program(caught.__traceback__)
    if isinstance(caught, KeyboardInterrupt):
        interrupted.append(True)
    _report(caught)
    sys.exit(1)


_kept: List[ModuleType] = []


def _of_the_program(traceback: Optional[TracebackType]) -> Optional[TracebackType]:
    """A traceback without the frames of this package at its beginning."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_HERE):
        traceback = traceback.tb_next
    return traceback


def _report(error: BaseException) -> None:
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except Exception as second:
        print("Error in sys.excepthook:", file=sys.stderr)
        second.__traceback__ = _of_the_program(second.__traceback__)
        sys.__excepthook__(type(second), second, second.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)


def _end_by_interrupt(interrupted: List[bool]) -> None:
    """So that a shell sees that it was one, as it does with ``python``: status 130."""
    if not interrupted:
        return
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
