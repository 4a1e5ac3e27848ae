"""The command line."""

from __future__ import annotations

from typing import Final, Optional, Sequence

from .program import CodeProgram, FileProgram, InputProgram, ModuleProgram, Program

HELP: Final = """\
usage: python -m sandport.agent_sandbox SCRIPT.py [ARGS]
       python -m sandport.agent_sandbox -c CODE [ARGS]
       python -m sandport.agent_sandbox -m MODULE [ARGS]

Runs a program that was written for k8s_agent_sandbox, as it stands, on a Sandport
daemon. Neither that package nor a cluster, a kubeconfig or kubectl is needed: for
this process `import k8s_agent_sandbox` gives Sandport's own client.

  SCRIPT.py  a file, a directory or zip file with a __main__.py, or - for standard input
  -c CODE    code on the command line
  -m MODULE  a module or package
  ARGS       what the program finds in sys.argv[1:]

The daemon is found by SANDPORT_URL and SANDPORT_API_KEY, or else in the client.json
that `npx sandport serve` leaves for the user who started it.
"""


class UsageError(Exception):
    """A command line that cannot be meant."""


def parse(arguments: Sequence[str]) -> Optional[Program]:
    """The program and its arguments; None when help is asked for.

    :raises UsageError: when there is no program.
    """
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help"):
        return None
    if not first:
        raise UsageError("which script? `python -m sandport.agent_sandbox --help` says more")
    if first == "-":
        return InputProgram(["-", *arguments[1:]])
    for option in ("-c", "-m"):
        if first.startswith(option):
            value, rest = _value(option, arguments)
            if option == "-c":
                return CodeProgram(value, ["-c", *rest])
            return ModuleProgram(value, ["-m", *rest])
    if first.startswith("-"):
        raise UsageError(
            f"unknown option {first}; options of Python itself come before -m, as in "
            f"`python {first} -m sandport.agent_sandbox SCRIPT.py`"
        )
    return FileProgram(first, list(arguments))


def _value(option: str, arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Of ``-cVALUE`` or ``-c VALUE``, with what follows."""
    attached = arguments[0][len(option) :]
    if attached:
        return attached, arguments[1:]
    if len(arguments) < 2:
        raise UsageError(f"{option} needs a value")
    return arguments[1], arguments[2:]
