import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import type { Subject } from '../subject.ts';
import type { Job, JobResult } from './job.ts';

/** Does a job with curl and GNU tar, as a person would at a shell; undefined where curl has no way. */
export function runCurl(subject: Subject, job: Job): JobResult | undefined {
  const timesMs: number[] = [];
  for (let number = -job.warmUps; number < job.rounds; number += 1) {
    const step = stepOf(job, number);
    if (step === undefined) return undefined;
    step.before?.();
    const startedAt = performance.now();
    shell(subject, step.script);
    if (number >= 0) timesMs.push(performance.now() - startedAt);
    step.after?.();
  }
  return { timesMs };
}

interface Step {
  readonly script: string;
  before?(): void;
  after?(): void;
}

function stepOf(job: Job, number: number): Step | undefined {
  const base = `"$SANDPORT_URL/v1/sandboxes/${job.sandbox}/fs`;
  const remote = `${job.remote}-${number}`;
  const local = `${job.local}-${number}`;
  const curl = 'curl -sSf -H "Authorization: Bearer $SANDPORT_API_KEY"';
  const removeLocal = () => rmSync(local, { recursive: true, force: true });
  switch (job.action) {
    case 'upload':
      return { script: `${curl} -o /dev/null -T ${job.local} ${base}?path=${job.remote}"` };
    case 'download':
      return { script: `${curl} -o ${local} ${base}?path=${job.remote}"`, after: removeLocal };
    case 'upload_dir':
      return {
        script: `tar -cf - -C ${job.local} . | ${curl} -o /dev/null -T - ${base}/archive?path=${remote}"`,
      };
    case 'download_dir':
      return {
        before: () => mkdirSync(local),
        script: `${curl} ${base}/archive?path=${job.remote}" | tar -xf - -C ${local}`,
      };
    case 'list':
      return { script: `${curl} -o /dev/null ${base}/dir?path=${job.remote}&recursive=true"` };
    case 'sync_dir':
      return undefined;
  }
}

function shell(subject: Subject, script: string): void {
  const { url, apiKey } = subject;
  execFileSync('bash', ['-o', 'pipefail', '-c', script], {
    env: { ...process.env, SANDPORT_URL: url, SANDPORT_API_KEY: apiKey },
  });
}
