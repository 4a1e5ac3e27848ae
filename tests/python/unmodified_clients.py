"""Environments with the published client of agent-sandbox, unmodified, in two generations."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from published_pages import PUBLISHED_IMPORT, programs_of_the_first_page
from running_daemon import REPOSITORY, RunningDaemon

SETUP = REPOSITORY / ".setup"

#: Lines that the older client logs to its standard output.
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ - ")

OLDER = 'create_sandbox(template="python-sandbox-template"'
NEWER = 'create_sandbox(warmpool="python-sandbox-pool"'


class Clients:
    """An environment with a generation of the package."""

    def __init__(self, generation: str, daemon: RunningDaemon, directory: Path) -> None:
        self.generation = generation
        self._directory = directory
        self._python = SETUP / "python-clients" / generation / "bin" / "python"
        if not self._python.exists():
            pytest.skip(f"k8s-agent-sandbox {generation} is not set up: run `npm test`")
        kubectl = SETUP / "tools" / "kubectl"
        path = os.pathsep.join([str(kubectl), os.environ["PATH"]])
        if shutil.which("kubectl", path=path) is None:
            pytest.skip("there is no kubectl: run `npm test`")
        kubeconfig = directory / "kubeconfig"
        program = os.environ.get("SANDPORT_BIN", str(REPOSITORY / "apps/cli/bin/sandport.mjs"))
        subprocess.run(
            ["node", program, "kubeconfig", "--output", str(kubeconfig)],
            env=daemon.environment(),
            check=True,
            capture_output=True,
        )
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("SANDPORT_")},
            "PATH": path,
            "HOME": str(directory),
            "KUBECONFIG": str(kubeconfig),
            # Where a client is to be given the address of the router itself.
            "ROUTER": f"{daemon.url}/agent-sandbox/router".replace(
                "://", f"://sandport:{daemon.api_key}@"
            ),
        }

    def run(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self._directory / "program.py").write_text(text, "utf-8")
        return subprocess.run(
            [self._python, "program.py", *arguments],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def printed(self, text: str, *arguments: str) -> str:
        """What a program that must succeed prints, without the lines of a log."""
        done = self.run(text, *arguments)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        lines = done.stdout.splitlines(keepends=True)
        return "".join(line for line in lines if not LOG_LINE.match(line))

    def delete_claims(self) -> None:
        """Those of programs that ended before they did it themselves."""
        subprocess.run(
            ["kubectl", "delete", "sandboxclaims", "--all", "--all-namespaces"],
            env=self._environment,
            check=True,
            capture_output=True,
        )

    def program(self, heading: str) -> str:
        """Of the page; for the newer generation with the one argument that it renamed."""
        text = dict(programs_of_the_first_page(PUBLISHED_IMPORT))[heading]
        assert text.count(OLDER) == 1
        return text if self.generation == "0.4" else text.replace(OLDER, NEWER)
