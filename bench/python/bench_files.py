"""Does one job of the file benchmark with the Python SDK: bench_files.py JOB.

JOB is the JSON of ``bench/src/files/job.ts``; prints the result as JSON.
"""

import json
import os
import resource
import sys
import time
from typing import Any, Callable, Dict

from sandport import Sandbox


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def one_round(files: Any, job: Dict[str, Any], number: int) -> float:
    action = job["action"]
    local, remote = f"{job['local']}-{number}", f"{job['remote']}-{number}"
    if action == "upload":
        return timed(lambda: files.upload(job["local"], job["remote"]))
    if action == "download":
        ms = timed(lambda: files.download(job["remote"], local))
        os.unlink(local)
        return ms
    if action == "upload_dir":
        return timed(lambda: files.upload_dir(job["local"], remote))
    if action == "download_dir":
        return timed(lambda: files.download_dir(job["remote"], local))
    if action == "sync_dir":
        return timed(lambda: files.sync_dir(job["local"], job["remote"]))
    if action == "list":
        return timed(lambda: files.list(job["remote"], recursive=True))
    raise ValueError(action)


def main(job: Dict[str, Any]) -> None:
    files = Sandbox.get(job["sandbox"]).files
    times = []
    for number in range(-job["warmUps"], job["rounds"]):
        ms = one_round(files, job, number)
        if number >= 0:
            times.append(ms)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"timesMs": times, "peakRssMib": peak}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
