"""Upload a CSV file, process it inside a sandbox, download the result.

Usage: process_csv.py [INPUT] [OUTPUT]

A daemon must be running: `npx sandport serve`.
"""

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from sandport import SandboxClient

SAMPLE = Path(__file__).parent.parent / "input.csv"

PROCESS = """
import csv
with open('/home/user/input.csv') as f:
    reader = csv.reader(f)
    rows = list(reader)
print(f"Processed {len(rows)} rows")
with open('/home/user/output.csv', 'w') as f:
    writer = csv.writer(f)
    writer.writerows(rows)
"""


@contextmanager
def step(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"  {what:<42} {(time.perf_counter() - started) * 1000:7.1f} ms", flush=True)


def main(input_path: Path, output_path: Path) -> None:
    client = SandboxClient()
    with step("create a sandbox"):
        sandbox = client.create_sandbox(template="python-sandbox-template", namespace="default")
    try:
        with step(f"upload {input_path.name} ({input_path.stat().st_size} bytes)"):
            sandbox.files.write("/home/user/input.csv", input_path.read_bytes())
        with step("upload process.py"):
            sandbox.files.write("/home/user/process.py", PROCESS)
        with step("run python3 process.py"):
            result = sandbox.commands.run("python3 /home/user/process.py")
        print(f"    {result.stdout.strip()}")
        if result.exit_code != 0:
            raise SystemExit(result.stderr)
        with step("download output.csv"):
            output = sandbox.files.read("/home/user/output.csv")
        output_path.parent.mkdir(parents=True, exist_ok=True)
        output_path.write_bytes(output)
    finally:
        with step("terminate the sandbox"):
            sandbox.terminate()
    print(f"  the result: {output_path} ({len(output)} bytes)")


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE,
        Path(sys.argv[2]) if len(sys.argv) > 2 else Path("output.csv"),
    )
