"""The corpus of hostile archives that both readers of archives face."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

from running_daemon import REPOSITORY

WRITER = REPOSITORY / "tests/dist/harness/write-hostile-archives.js"


@dataclass(frozen=True)
class HostileArchive:
    name: str
    why: str
    #: ``refused`` or ``contained``.
    outcome: str
    data: bytes
    max_bytes: Optional[int]
    max_entries: Optional[int]


def hostile_archives() -> List[HostileArchive]:
    with tempfile.TemporaryDirectory(prefix="sandport-python-") as directory:
        subprocess.run(["node", str(WRITER), directory], check=True, capture_output=True)
        index = json.loads(Path(directory, "index.json").read_text())
        return [
            HostileArchive(
                name=each["name"],
                why=each["why"],
                outcome=each["outcome"],
                data=Path(directory, each["file"]).read_bytes(),
                max_bytes=each.get("max_bytes"),
                max_entries=each.get("max_entries"),
            )
            for each in index["archives"]
        ]
