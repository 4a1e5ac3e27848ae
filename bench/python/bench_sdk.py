"""Byte rows of the benchmark through the Python SDK: bench_sdk.py WORK_DIR SIZE_MIB.

Prints one line a row: operation, value and unit, separated by tabs.
"""

import statistics
import sys
import time
from pathlib import Path
from typing import Callable

from sandport import Sandbox

SMALL = b"x" * 1024
SMALL_PATH = "/home/user/small.bin"
LARGE_PATH = "/home/user/large.bin"


def median_ms(work: Callable[[], object], rounds: int, warm_ups: int) -> float:
    times = []
    for number in range(warm_ups + rounds):
        started = time.perf_counter()
        work()
        if number >= warm_ups:
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def main(work_dir: Path, size_mib: int) -> None:
    local = work_dir / "python-large.bin"
    block = b"sandport benchmark data\n" * (1024 * 1024 // 24 + 1)
    with local.open("wb") as file:
        for _ in range(size_mib):
            file.write(block[: 1024 * 1024])
    size = f"{size_mib // 1024} GiB" if size_mib % 1024 == 0 else f"{size_mib} MiB"
    with Sandbox.create() as sandbox:
        files = sandbox.files
        write = median_ms(lambda: files.write(SMALL_PATH, SMALL), 500, 50)
        read = median_ms(lambda: files.read(SMALL_PATH), 500, 50)
        up = median_ms(lambda: files.upload(str(local), LARGE_PATH), 3, 1)
        down = median_ms(lambda: files.download(LARGE_PATH, str(local)), 3, 1)
    local.unlink()
    print(f"write 1 KiB, p50\t{write}\tms")
    print(f"read 1 KiB, p50\t{read}\tms")
    print(f"upload {size}\t{size_mib * 1000 / up}\tmib_per_second")
    print(f"download {size}\t{size_mib * 1000 / down}\tmib_per_second")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
