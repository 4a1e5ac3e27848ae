"""`python -m sandport.agent_sandbox X` against `python X`: the same output, errors and ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

import pytest

RUNNER = ["-m", "sandport.agent_sandbox"]

SHOW = """
import sys
print(__name__, __file__, __package__, getattr(__spec__, "name", None), __doc__)
print(sys.argv, sys.path[0])
print(type(__loader__).__name__, sorted(globals()), sys.modules["__main__"].__dict__ is globals())
"""

PROGRAMS: Dict[str, str] = {
    "what it sees": SHOW,
    "docstring": '"""Said first."""\nprint(__doc__)\n',
    "an end without an error": "print('x')\n",
    "an uncaught error": "def f():\n    1 / 0\n\n\ndef g():\n    f()\n\n\ng()\n",
    "an error with a cause": (
        "try:\n    int('x')\nexcept ValueError as e:\n    raise KeyError('y') from e\n"
    ),
    "an error while handling one": (
        "try:\n    int('x')\nexcept ValueError:\n    raise KeyError('y')\n"
    ),
    "no Python": "x = )\n",
    "no Python in an import": (
        "open('broken_one.py', 'w').write('def')\n"
        "import sys; sys.path.insert(0, '.')\nimport broken_one\n"
    ),
    "not in UTF-8": "x = '\\udcff'\n",
    "no such module": "import nothing_of_this_name\n",
    "exit": "import sys; sys.exit()\n",
    "exit with a number": "raise SystemExit(7)\n",
    "exit with a sentence": "import sys; sys.exit('because')\n",
    "exit in a function called at the end": (
        "import atexit, sys\natexit.register(lambda: print('end'))\nsys.exit(3)\n"
    ),
    "its own excepthook": (
        "import sys\nsys.excepthook = lambda *a: print('mine', a[0], a[2].tb_lineno)\n1 / 0\n"
    ),
    "an excepthook that fails": "import sys\nsys.excepthook = lambda *a: [][0]\n1 / 0\n",
    "an excepthook that exits": "import sys\nsys.excepthook = lambda *a: sys.exit(9)\n1 / 0\n",
    "a thread that goes on": (
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\n1 / 0\n"
    ),
    "standard input": "import sys\nprint(sys.stdin.read().upper(), input if 0 else '')\n",
    "an interrupt": (
        "import atexit, os, signal\natexit.register(print, 'end')\nprint('begun')\n"
        "os.kill(os.getpid(), signal.SIGINT)\nimport time; time.sleep(9)\n"
    ),
    "a caught interrupt": (
        "import os, signal, time\ntry:\n    os.kill(os.getpid(), signal.SIGINT); time.sleep(9)\n"
        "except KeyboardInterrupt:\n    print('caught')\n"
    ),
    "asyncio": (
        "import asyncio\n\n\nasync def main():\n    await asyncio.sleep(0)\n    print('ran')\n\n\n"
        "asyncio.run(main())\n"
    ),
    "classes that are pickled": (
        "import pickle\n\n\nclass A:\n    pass\n\n\n"
        "print(type(pickle.loads(pickle.dumps(A()))) is A)\n"
    ),
    "forked processes": (
        "import multiprocessing as m\n\n\ndef f(x):\n    return x * 2\n\n\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('fork').Pool(1) as pool:\n        print(pool.map(f, [1, 2]))\n"
    ),
    "a broken pipe of its own": "raise BrokenPipeError(32, 'x')\n",
    "generators left open": (
        "def g():\n    try:\n        yield\n    finally:\n        print('f')\nx = g(); next(x)\n"
    ),
    "a future statement": "from __future__ import annotations\nx: nothing_known = 1\nprint(x)\n",
    "no future statement": (
        "try:\n    x: nothing_known = 1\nexcept NameError:\n    print('as usual')\n"
    ),
    "the frame of the module": (
        "import sys\ndef f():\n    print(sys._getframe(1).f_code.co_name)\nf()\n"
    ),
    "a module beside it": "import beside\nprint(beside.x)\n",
    "warnings": "import warnings\nwarnings.warn('careful')\n",
}


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


def outcome(arguments: List[str], directory: Path, given: str = "") -> Outcome:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONWARNINGS": "default", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=60,
        input=given,
        encoding="utf-8",
        errors="surrogateescape",
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def same(arguments: List[str], directory: Path, given: str = "") -> Outcome:
    """What both give, which must be the same."""
    python = outcome(arguments, directory, given)
    ours = outcome([*RUNNER, *arguments], directory, given)
    assert ours == python
    return ours


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("x = 5\n")
    # Neither a link in the path nor its absence makes a difference to what is compared.
    return tmp_path.resolve()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_script_runs_as_with_python(here: Path, name: str) -> None:
    (here / "script.py").write_bytes(PROGRAMS[name].encode("utf-8", "surrogateescape"))
    same(["script.py", "a", "-c", "--help"], here, given="typed\n")


def test_a_script_elsewhere(here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "script.py").write_text(
        SHOW + "try:\n    import beside\nexcept ImportError as e:\n    print(e)\n"
    )
    (here / "link.py").symlink_to("sub/script.py")
    for where in (
        "sub/script.py",
        "./sub/../sub/script.py",
        str(here / "sub" / "script.py"),
        "link.py",
    ):
        assert "No module named 'beside'" in same([where], here).out


def test_other_kinds_of_program(here: Path) -> None:
    (here / "pack").mkdir()
    (here / "pack" / "__init__.py").write_text("print('init')\n")
    (here / "pack" / "mod.py").write_text(f"{SHOW}\nfrom . import __name__ as n\nprint(n)\n")
    (here / "pack" / "__main__.py").write_text(SHOW)
    (here / "bare").mkdir()
    (here / "bare" / "__init__.py").write_text("")
    (here / "dir").mkdir()
    (here / "dir" / "__main__.py").write_text(f"{SHOW}\nimport inner\nprint(inner.y)\n")
    (here / "dir" / "inner.py").write_text("y = 6\n")
    with zipfile.ZipFile(here / "app.pyz", "w") as archive:
        archive.write(here / "dir" / "__main__.py", "__main__.py")
        archive.write(here / "dir" / "inner.py", "inner.py")
    for arguments in (
        ["-m", "pack.mod", "x"],
        ["-mpack.mod"],
        ["-m", "pack", "-c", "y"],
        ["-m", "beside"],
        ["dir", "x"],
        ["app.pyz", "x"],
        ["-c", "import sys; print(sys.argv, sys.path[0] == ''); import beside", "a", "b"],
        ["-cprint(5)"],
        ["-c", "def f():\n  raise SystemExit(4)\nf()"],
    ):
        same(arguments, here)
    # Here Python itself shows frames of its own above those of the module.
    (here / "failing.py").write_text("1 / 0\n")
    python, ours = (outcome([*how, "-m", "failing"], here) for how in ([], RUNNER))
    head, module = python.err.split("\n", 1)
    module = module[module.index(f'  File "{here}') :]
    assert ours == python._replace(err=f"{head}\n{module}")
    program = "import sys; print(sys.argv, sys.path[0] == '', __name__)\n"
    same(["-", "x"], here, given=program)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["missing.py"], 2, "can't open file '{here}/missing.py': [Errno 2] No such file"),
        (["-m", "missing_module"], 1, "No module named missing_module"),
        (["-m", "bare"], 1, "No module named bare.__main__"),
        (["empty"], 1, "can't find '__main__' module in 'empty'"),
        ([], 2, "which script?"),
        (["-c"], 2, "-c needs a value"),
        (["-x", "script.py"], 2, "unknown option -x"),
    ],
)
def test_nothing_to_run(here: Path, arguments: List[str], code: int, said: str) -> None:
    (here / "empty").mkdir()
    (here / "bare").mkdir()
    (here / "bare" / "__init__.py").write_text("")
    done = outcome([*RUNNER, *arguments], here)
    assert done.code == code
    assert done.out == ""
    error = done.err
    assert error.startswith("sandport.agent_sandbox: ")
    assert said.format(here=here) in error
    assert "Traceback" not in error


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(here: Path, option: str) -> None:
    done = outcome([*RUNNER, option], here)
    assert done.code == 0
    assert done.err == ""
    assert "usage: python -m sandport.agent_sandbox SCRIPT.py" in done.out


def test_an_interrupted_shell_sees_130(here: Path) -> None:
    (here / "script.py").write_text(PROGRAMS["an interrupt"])
    assert outcome([*RUNNER, "script.py"], here).code == -signal.SIGINT
    shell = shutil.which("sh")
    assert shell is not None
    done = subprocess.run(
        [shell, "-c", '"$0" -m sandport.agent_sandbox script.py; echo $?', sys.executable],
        cwd=here,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "begun\nend\n130\n"


def test_the_name_is_ours_for_this_process_only(here: Path) -> None:
    (here / "script.py").write_text(
        "import k8s_agent_sandbox, sandport.agent_sandbox, subprocess, sys\n"
        "assert k8s_agent_sandbox is sandport.agent_sandbox\n"
        "from k8s_agent_sandbox.models import FileEntry\n"
        "import k8s_agent_sandbox.files.filesystem as f\n"
        "assert f is sandport.agent_sandbox.files.filesystem\n"
        "import k8s_agent_sandbox.commands.command_executor\n"
        "from k8s_agent_sandbox import exceptions, constants\n"
        "assert exceptions.SandboxError is k8s_agent_sandbox.SandboxError\n"
        "try:\n    import k8s_agent_sandbox.extensions\n"
        "except ModuleNotFoundError as error:\n    print(error.name, '|', error)\n"
        "try:\n    from k8s_agent_sandbox import nothing\nexcept ImportError:\n    print('none')\n"
        "done = subprocess.run([sys.executable, '-c', 'import k8s_agent_sandbox'])\n"
        "print(done.returncode)\n"
    )
    # A package of that name in the directory of the script is not the one that it gets.
    (here / "k8s_agent_sandbox.py").write_text("1 / 0\n")
    done = outcome([*RUNNER, "script.py"], here)
    first, second, third = done.out.splitlines()
    assert first.startswith("k8s_agent_sandbox.extensions | k8s_agent_sandbox.extensions has no")
    assert (second, third) == ("none", "1")


def environment(**changes: Optional[str]) -> Dict[str, str]:
    env = {**os.environ, **{key: value or "" for key, value in changes.items()}}
    return {key: value for key, value in env.items() if changes.get(key, value) is not None}


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        (None, None, "SandboxError: No Sandport daemon is known. Start one with"),
        ("http://127.0.0.1:1", None, "SandboxError: No API key for http://127.0.0.1:1 is known."),
        ("http://127.0.0.1:1", "k", "No daemon is reachable at http://127.0.0.1:1"),
    ],
)
def test_without_a_daemon(here: Path, url: Optional[str], key: Optional[str], said: str) -> None:
    (here / "script.py").write_text(
        "from k8s_agent_sandbox import SandboxClient\n"
        "SandboxClient().create_sandbox(template='python-sandbox-template')\n"
    )
    done = subprocess.run(
        [sys.executable, *RUNNER, "script.py"],
        cwd=here,
        env=environment(SANDPORT_URL=url, SANDPORT_API_KEY=key, XDG_CONFIG_HOME=str(here)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert lines[:2] == [
        "Traceback (most recent call last):",
        f'  File "{here}/script.py", line 2, in <module>',
    ]
    assert said in lines[-1]
