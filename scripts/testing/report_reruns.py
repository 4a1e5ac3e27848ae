"""pytest plugin: writes why tests failed that were tried again, as a JSON object of name and
reason, to the file that SANDPORT_RERUNS_REPORT names. Names are those of the JUnit report."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Dict

import pytest

_reasons: Dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.outcome == "rerun":  # Set by pytest-rerunfailures.
        _reasons.setdefault(_junit_name(report.nodeid), _reason(report))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):  # With pytest-xdist: not in a worker.
        Path(os.environ["SANDPORT_RERUNS_REPORT"]).write_text(json.dumps(_reasons))


def _reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return report.longreprtext[-600:]
    return f"{crash.message} (line {crash.lineno} of {crash.path}, {report.when})"


def _junit_name(node_id: str) -> str:
    path, bracket, parameters = node_id.partition("[")
    names = path.split("::")
    names[0] = re.sub(r"\.py$", "", names[0].replace("/", "."))
    return f"{'.'.join(names[:-1])} > {names[-1]}{bracket}{parameters}"
