"""The name ``k8s_agent_sandbox`` for this process."""

from __future__ import annotations

import importlib
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any, Final, Optional, Sequence

ALIAS: Final = "k8s_agent_sandbox"
_PACKAGE: Final = __package__.rpartition(".")[0]

#: Modules that programs import by name.
MODULES: Final = (
    "async_connector",
    "async_sandbox",
    "async_sandbox_client",
    "commands",
    "commands.async_command_executor",
    "commands.command_executor",
    "connector",
    "constants",
    "exceptions",
    "files",
    "files.async_filesystem",
    "files.filesystem",
    "metrics_utils",
    "models",
    "pod_metadata",
    "sandbox",
    "sandbox_client",
)


class UnknownModules(MetaPathFinder):
    """Says of the other modules that they are not here."""

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]], target: Any = None
    ) -> Optional[ModuleSpec]:
        if not fullname.startswith(f"{ALIAS}."):
            return None
        raise ModuleNotFoundError(
            f"{fullname} has no counterpart in Sandport: its extensions need a cluster. Run the "
            f"program with the package {ALIAS} itself, or without this import.",
            name=fullname,
        )


def install_alias() -> None:
    """From here on ``import k8s_agent_sandbox`` gives :mod:`sandport.agent_sandbox`, whether or not
    a package of that name is installed."""
    sys.modules[ALIAS] = importlib.import_module(_PACKAGE)
    for name in MODULES:
        sys.modules[f"{ALIAS}.{name}"] = importlib.import_module(f"{_PACKAGE}.{name}")
    sys.meta_path.insert(0, UnknownModules())
