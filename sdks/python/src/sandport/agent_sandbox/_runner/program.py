"""Programs, and how each is begun as ``python`` begins it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import pkgutil
import sys
from types import CodeType
from typing import Any, Dict, List, Optional, Tuple


class NoProgram(Exception):
    """There is nothing to run."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


#: The code, and what ``__main__`` holds when it begins.
Loaded = Tuple[CodeType, Dict[str, Any]]


class Program:
    """Something to run."""

    def __init__(self, argv: List[str]) -> None:
        self.argv = argv

    def load(self) -> Loaded:
        """Sets ``sys.argv`` and ``sys.path[0]``, and compiles.

        :raises NoProgram: when there is nothing to run.
        """
        raise NotImplementedError

    def _begin(self, path: str, first: Optional[str] = None) -> None:
        sys.argv = self.argv if first is None else [first, *self.argv[1:]]
        # What `python -m` put there is this directory, unless Python was told to put nothing.
        if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
            sys.path[0] = path


class CodeProgram(Program):
    """``-c CODE``."""

    def __init__(self, code: str, argv: List[str]) -> None:
        super().__init__(argv)
        self._code = code

    def load(self) -> Loaded:
        self._begin("")
        return compile(f"{self._code}\n", "<string>", "exec", dont_inherit=True), {}


class InputProgram(Program):
    """``-``: standard input."""

    def load(self) -> Loaded:
        self._begin("")
        return compile(sys.stdin.buffer.read(), "<stdin>", "exec", dont_inherit=True), {}


class FileProgram(Program):
    """A script, or a directory or archive with a ``__main__.py``."""

    def __init__(self, path: str, argv: List[str]) -> None:
        super().__init__(argv)
        self._path = path

    def load(self) -> Loaded:
        # As Python does: nothing is taken out of it.
        path = os.path.join(os.getcwd(), self._path)
        importer = pkgutil.get_importer(path)
        if importer is not None:
            self._begin(path)
            return _main_of(importer, self._path)
        try:
            with open(path, "rb") as file:
                source = file.read()
        except OSError as error:
            reason = f"[Errno {error.errno}] {error.strerror}"
            raise NoProgram(f"can't open file {path!r}: {reason}", exit_code=2) from error
        self._begin(os.path.dirname(os.path.realpath(path)))
        loader = importlib.machinery.SourceFileLoader("__main__", path)
        return compile(source, path, "exec", dont_inherit=True), {
            "__file__": path,
            "__cached__": None,
            "__loader__": loader,
        }


class ModuleProgram(Program):
    """``-m MODULE``."""

    def __init__(self, name: str, argv: List[str]) -> None:
        super().__init__(argv)
        self._name = name

    def load(self) -> Loaded:
        self._begin(os.getcwd())
        spec = self._find(self._name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = self._find(f"{self._name}.__main__")
            if spec is None:
                raise NoProgram(
                    f"No module named {self._name}.__main__; {self._name!r} is a package and "
                    "cannot be directly executed"
                )
        if spec is None:
            raise NoProgram(f"No module named {self._name}")
        code, names = _code_of(spec, self._name)
        self._begin(os.getcwd(), spec.origin)
        return code, names

    def _find(self, name: str) -> Optional[importlib.machinery.ModuleSpec]:
        try:
            return importlib.util.find_spec(name)
        except ModuleNotFoundError as error:
            # Of a parent of the module; what the parent itself lacks is another matter.
            if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
                return None
            raise
        except ValueError:
            return None


def _main_of(importer: Any, shown: str) -> Loaded:
    if hasattr(importer, "find_spec"):
        spec = importer.find_spec("__main__")
    else:  # That of archives, on Python 3.9.
        loader = importer.find_module("__main__")
        spec = loader and importlib.util.spec_from_loader("__main__", loader)
    if spec is None:
        raise NoProgram(f"can't find '__main__' module in {shown!r}")
    return _code_of(spec, shown)


def _code_of(spec: importlib.machinery.ModuleSpec, shown: str) -> Loaded:
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(spec.name) if get_code is not None else None
    if not isinstance(code, CodeType):
        raise NoProgram(f"No code object available for {shown}")
    return code, {
        "__file__": spec.origin,
        "__cached__": spec.cached,
        "__loader__": spec.loader,
        "__package__": spec.parent,
        "__spec__": spec,
    }
