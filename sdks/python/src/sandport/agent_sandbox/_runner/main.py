"""The command."""

from __future__ import annotations

import sys
from typing import Sequence

from .alias import install_alias
from .arguments import HELP, UsageError, parse
from .execute import execute
from .program import NoProgram

PROGRAM = "sandport.agent_sandbox"


def main() -> None:
    """Runs what the command line names; raises SystemExit with its exit code where it has one."""
    try:
        run(sys.argv[1:])
    except UsageError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        sys.exit(2)
    except NoProgram as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def run(arguments: Sequence[str]) -> None:
    program = parse(arguments)
    if program is None:
        print(HELP, end="")
        return
    install_alias()
    execute(program)
