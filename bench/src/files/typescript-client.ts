import { rmSync } from 'node:fs';
import { Sandbox } from 'sandport';
import { timeMs } from '../statistics.ts';
import type { Job, JobResult } from './job.ts';

/** `node typescript-client.js JOB`: does a job with the TypeScript SDK and prints its result. */
const job: Job = JSON.parse(process.argv[2] ?? '{}');
const { files } = await Sandbox.get(job.sandbox);

/** Does the job once and resolves to the milliseconds that it took. */
async function round(number: number): Promise<number> {
  const local = `${job.local}-${number}`;
  const remote = `${job.remote}-${number}`;
  switch (job.action) {
    case 'upload':
      return timeMs(() => files.upload(job.local, job.remote));
    case 'download':
      return timeMs(() => files.download(job.remote, local)).finally(() => rmSync(local));
    case 'upload_dir':
      return timeMs(() => files.uploadDir(job.local, remote));
    case 'download_dir':
      return timeMs(() => files.downloadDir(job.remote, local));
    case 'sync_dir':
      return timeMs(() => files.syncDir(job.local, job.remote));
    case 'list':
      return timeMs(() => files.list(job.remote, { recursive: true }));
  }
}

const timesMs: number[] = [];
for (let number = -job.warmUps; number < job.rounds; number += 1) {
  const ms = await round(number);
  if (number >= 0) timesMs.push(ms);
}
const result: JobResult = { timesMs, peakRssMib: process.resourceUsage().maxRSS / 1024 };
console.log(JSON.stringify(result));
process.exit(0);
