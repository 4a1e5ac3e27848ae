"""Takes the Python snippets out of the texts of two published pages."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import List, Optional, Tuple

PAGES = Path(__file__).resolve().parents[1] / "fixtures" / "published-pages"

UPLOAD_DOWNLOAD = (PAGES / "agent-sandbox-upload-download.txt").read_text("utf-8")
FILESYSTEM = (PAGES / "pandastack-filesystem.txt").read_text("utf-8")

#: The line of the first page that is changed, and what it is changed to.
PUBLISHED_IMPORT = "from k8s_agent_sandbox import SandboxClient"
OUR_IMPORT = "from sandport import SandboxClient"


def programs_of_the_first_page(import_line: str = OUR_IMPORT) -> List[Tuple[str, str]]:
    """``(heading, program)`` for each program of the page: from its first import to its
    ``sandbox.terminate()``. Only the import line is changed, to the one that is given."""
    found: List[Tuple[str, str]] = []
    heading = ""
    program: Optional[List[str]] = None
    lines = UPLOAD_DOWNLOAD.splitlines()
    for number, line in enumerate(lines):
        if program is None and line in ("import os", PUBLISHED_IMPORT):
            program = []
        if program is None:
            is_heading = bool(line) and not line.endswith((".", ":"))
            heading = (
                line if is_heading and not "".join(lines[number + 1 : number + 2]) else heading
            )
            continue
        program.append(import_line if line == PUBLISHED_IMPORT else line)
        if line == "sandbox.terminate()":
            found.append((heading, "\n".join(program) + "\n"))
            program = None
    return found


_CALL = re.compile(r"(?<!await )(?:text = )?\bsandbox\.filesystem\.\w+\(")


def snippets_of_the_second_page() -> List[str]:
    """Each Python snippet of the page. Its text has lost line breaks and indentation: a snippet
    ends where what follows is no Python, and a line after ``:`` is indented again. Calls in one
    run of lines are one snippet."""
    snippets: List[List[str]] = []
    previous = -2
    lines = FILESYSTEM.splitlines()
    for number, line in enumerate(lines):
        match = _CALL.search(line)
        if match is None:
            continue
        code = longest_program(line[match.start() :])
        before = lines[number - 1] if number > 0 else ""
        if before.startswith("with ") and before.endswith(":"):
            code = f"{before}\n    {code}"
            # The comment line and the call before it belong to the same snippet.
            continues = number - previous <= 3
        else:
            continues = number - previous == 1 and match.start() == 0
        if continues:
            snippets[-1].append(code)
        else:
            snippets.append([code])
        previous = number
    return ["\n".join(snippet) + "\n" for snippet in snippets]


def longest_program(text: str) -> str:
    """The longest beginning of a line that is Python."""
    for end in range(len(text), 0, -1):
        try:
            ast.parse(text[:end])
        except (SyntaxError, ValueError):
            continue
        return text[:end].rstrip()
    raise ValueError(f"no Python at the beginning of {text!r}")


def python_calls(text: str) -> int:
    """How many calls a text holds that are Python and not TypeScript."""
    return len(_CALL.findall(text))
