import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Subject } from '../subject.ts';
import { runCurl } from './curl-client.ts';
import type { ClientName, Job, JobResult } from './job.ts';

/** A job's result, with the most memory that the daemon had meanwhile. */
export interface WatchedResult extends JobResult {
  readonly daemonPeakRssMib: number;
}

/** Does a job with a client, in a process of its own; undefined where the client has no way. */
export async function runJob(
  subject: Subject,
  client: ClientName,
  job: Job,
): Promise<WatchedResult | undefined> {
  // Sets the peak that the kernel remembers (VmHWM) back to the present value.
  writeFileSync(`/proc/${subject.daemonPid}/clear_refs`, '5');
  const result = client === 'curl' ? runCurl(subject, job) : await runSdk(subject, client, job);
  return result && { ...result, daemonPeakRssMib: peakRssMib(subject.daemonPid) };
}

async function runSdk(subject: Subject, client: ClientName, job: Job): Promise<JobResult> {
  const [program, script] =
    client === 'Python'
      ? [subject.python, join(subject.benchDir, 'python/bench_files.py')]
      : [process.execPath, fileURLToPath(new URL('typescript-client.js', import.meta.url))];
  const { stdout } = await promisify(execFile)(program, [script, JSON.stringify(job)], {
    env: { ...process.env, SANDPORT_URL: subject.url, SANDPORT_API_KEY: subject.apiKey },
  });
  return JSON.parse(stdout);
}

function peakRssMib(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
