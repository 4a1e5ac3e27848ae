"""What is left out of a transfer, in the syntax of .gitignore."""

from __future__ import annotations

import os
from typing import Iterable, List, Optional, Sequence

from pathspec import GitIgnoreSpec

from ..errors import LocalFileError

#: File in the local directory whose rules are taken too.
IGNORE_FILE = ".sandportignore"


class Ignore:
    """Rules for paths relative to one directory, with slashes."""

    def __init__(self, rules: Iterable[str]) -> None:
        lines = [line for line in rules if line.strip()]
        self._spec = GitIgnoreSpec.from_lines(lines) if lines else None

    def matches(self, path: str, *, directory: bool) -> bool:
        if self._spec is None:
            return False
        return bool(self._spec.match_file(f"{path}/" if directory else path))


def read_rules(
    directory: str, rules: Optional[Sequence[str]], ignore_file: Optional[str]
) -> Ignore:
    """The rules of the caller after those of the file, so that they win.

    :param ignore_file: its name in the directory; None: no file. One that is missing is no error.
    """
    if isinstance(rules, str):
        raise TypeError("ignore must be a list of rules, not one string")
    lines: List[str] = []
    if ignore_file is not None:
        path = os.path.join(directory, ignore_file)
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError) as cause:
            raise LocalFileError(f"{path} cannot be read: {cause}.", path) from cause
    try:
        return Ignore([*lines, *(rules or ())])
    except ValueError as cause:
        raise ValueError(f"an ignore rule cannot be read: {cause}") from cause
