import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Isolation, Sandbox } from 'sandport';
import { runJob } from '../files/clients.ts';
import { type ClientName, clientNames, type Job } from '../files/job.ts';
import { directionWords, type FileMeasurement } from '../files/measurement.ts';
import {
  copyNodeModules,
  makeEntries,
  makeFile,
  makeSmallFiles,
  type Tree,
} from '../files/workloads.ts';
import { ByteClient } from '../http-client.ts';
import { median, timeMs } from '../statistics.ts';
import type { BenchOptions, Row, Subject } from '../subject.ts';

const kib = 1024;
const mib = 1024 * kib;

/** What is moved, how often, and how large it is. */
interface FileSize {
  readonly name: string;
  readonly sizeBytes: number;
  readonly rounds: number;
}

const sizes: readonly FileSize[] = [
  { name: '1 KiB', sizeBytes: kib, rounds: 200 },
  { name: '1 MiB', sizeBytes: mib, rounds: 40 },
  { name: '100 MiB', sizeBytes: 100 * mib, rounds: 4 },
  { name: '1 GiB', sizeBytes: 1024 * mib, rounds: 2 },
];
const hugeSize: FileSize = { name: '10 GiB', sizeBytes: 10 * 1024 * mib, rounds: 1 };

/** Files and trees of all sizes, up and down, with every client, on every isolation. */
export const files: Row = {
  name: 'files',
  onlyWhenNamed: true,
  async measure(subject, options) {
    const measured: FileMeasurement[] = [];
    const sandboxes: Sandbox[] = [];
    try {
      for (const isolation of subject.isolations) {
        const sandbox = await Sandbox.create({ isolation, resources: { memoryMb: 512 } }, subject);
        sandboxes.push(sandbox);
        const run = new FilesRun(subject, options, isolation, sandbox.id);
        measured.push(...(await run.transfers()), ...(await run.trees()), ...(await run.listing()));
      }
    } finally {
      // Not before: ext4 is slow to make files while it remembers others that were removed.
      for (const sandbox of sandboxes) await sandbox.kill();
    }
    return measured;
  },
};

type Result = Pick<FileMeasurement, 'workload' | 'direction' | 'client'> & {
  readonly timesMs: readonly number[];
  readonly floorMs?: number;
  readonly sizeBytes?: number;
  readonly clientPeakRssMib?: number | undefined;
  readonly daemonPeakRssMib?: number;
};

/** The measurements of one isolation. */
class FilesRun {
  readonly #subject: Subject;
  readonly #options: BenchOptions;
  readonly #isolation: Isolation;
  readonly #sandbox: string;
  readonly #workDir: string;

  constructor(subject: Subject, options: BenchOptions, isolation: Isolation, sandbox: string) {
    this.#subject = subject;
    this.#options = options;
    this.#isolation = isolation;
    this.#sandbox = sandbox;
    this.#workDir = join(subject.workDir, isolation);
    mkdirSync(this.#workDir);
  }

  async transfers(): Promise<FileMeasurement[]> {
    const { quick, huge } = this.#options;
    const chosen = quick ? sizes.slice(0, 3) : huge ? [...sizes, hugeSize] : sizes;
    const measured: FileMeasurement[] = [];
    for (const { name, sizeBytes, rounds } of chosen) {
      const local = makeFile(this.#workDir, sizeBytes);
      const job = { remote: '/home/user/bench.bin', local, ...this.#rounds(rounds) };
      for (const [action, direction] of [
        ['upload', 'up'],
        ['download', 'down'],
      ] as const) {
        const floorMs = await this.#byteFloor(direction, sizeBytes, job.rounds);
        measured.push(
          ...(await this.#all(() => ({ ...job, action }), name, direction, floorMs, sizeBytes)),
        );
      }
      rmSync(local);
    }
    return measured;
  }

  async trees(): Promise<FileMeasurement[]> {
    const { benchDir } = this.#subject;
    const trees = this.#options.quick
      ? [makeSmallFiles(this.#workDir, 1000)]
      : [
          makeSmallFiles(this.#workDir, 1000),
          makeSmallFiles(this.#workDir, 10_000),
          copyNodeModules(this.#workDir, join(benchDir, '../node_modules')),
        ];
    const measured: FileMeasurement[] = [];
    for (const tree of trees) measured.push(...(await this.#tree(tree)));
    return measured;
  }

  async listing(): Promise<FileMeasurement[]> {
    const tree = makeEntries(this.#workDir, this.#options.quick ? 10_000 : 100_000);
    const remote = '/home/user/listing';
    const { files: api } = await Sandbox.get(this.#sandbox, this.#subject);
    await api.uploadDir(tree.path, remote);
    const find = () => execFileSync('find', [tree.path, '-ls'], { maxBuffer: 2 ** 30 });
    find();
    const floorMs = await timeMs(async () => find());
    const job = { action: 'list', remote, local: '', ...this.#rounds(3) } as const;
    return this.#all(() => job, tree.name, 'list', floorMs);
  }

  async #tree(tree: Tree): Promise<FileMeasurement[]> {
    const local = tree.path;
    const name = basename(local);
    const rounds = this.#rounds(3);
    const floorMs = this.#tarFloor(tree);
    const up = (client: ClientName) =>
      ({ action: 'upload_dir', remote: `/home/user/${name}-${client}`, local, ...rounds }) as const;
    const uploads = await this.#all(up, tree.name, 'up', floorMs);
    const remote = `/home/user/${name}`;
    const { files: api } = await Sandbox.get(this.#sandbox, this.#subject);
    await api.uploadDir(local, remote);
    const down = (client: ClientName) =>
      ({
        action: 'download_dir',
        remote,
        local: join(this.#workDir, `${name}-${client}`),
        ...rounds,
      }) as const;
    const downloads = await this.#all(down, tree.name, 'down', floorMs);
    const again: FileMeasurement[] = [];
    for (const client of clientNames) {
      const first = uploads.find((each) => each.client === client)?.value;
      const job = { action: 'sync_dir', remote, local, ...rounds } as const;
      if (first !== undefined)
        again.push(...(await this.#one(job, client, tree.name, 'again', first)));
    }
    return [...uploads, ...downloads, ...again];
  }

  async #all(
    jobOf: (client: ClientName) => Omit<Job, 'sandbox'>,
    workload: string,
    direction: FileMeasurement['direction'],
    floorMs: number,
    sizeBytes?: number,
  ): Promise<FileMeasurement[]> {
    const measured: FileMeasurement[] = [];
    for (const client of clientNames)
      measured.push(
        ...(await this.#one(jobOf(client), client, workload, direction, floorMs, sizeBytes)),
      );
    return measured;
  }

  async #one(
    job: Omit<Job, 'sandbox'>,
    client: ClientName,
    workload: string,
    direction: FileMeasurement['direction'],
    floorMs: number,
    sizeBytes?: number,
  ): Promise<FileMeasurement[]> {
    this.#settle();
    const result = await runJob(this.#subject, client, { ...job, sandbox: this.#sandbox });
    if (result === undefined) return [];
    const size = sizeBytes === undefined ? {} : { sizeBytes };
    return [this.#measurement({ workload, direction, client, floorMs, ...size, ...result })];
  }

  #measurement(result: Result): FileMeasurement {
    const { timesMs, sizeBytes, workload, direction, client, floorMs } = result;
    const operation = `${workload} ${directionWords[direction]}, ${client}, ${this.#isolation}`;
    const common = {
      operation,
      workload,
      direction,
      client,
      isolation: this.#isolation,
      clientPeakRssMib: result.clientPeakRssMib,
      daemonPeakRssMib: result.daemonPeakRssMib,
    };
    const ms = median(timesMs);
    if (sizeBytes !== undefined && sizeBytes >= mib) {
      const rate = (each: number) => (sizeBytes / mib) * (1000 / each);
      return {
        ...common,
        value: rate(ms),
        unit: 'MiB/s',
        higherIsBetter: true,
        ...(floorMs === undefined ? {} : { floor: rate(floorMs) }),
        ...(client === 'curl' && sizeBytes >= 1024 * mib
          ? { budget: { of: 'floor', limit: 0.8 } }
          : {}),
      };
    }
    const limit = direction === 'again' ? 0.2 : workload === '10,000 small files' ? 2 : undefined;
    return {
      ...common,
      value: ms,
      unit: 'ms',
      ...(floorMs === undefined ? {} : { floor: floorMs }),
      ...(limit === undefined ? {} : { budget: { of: 'floor', limit } }),
    };
  }

  /** The same bytes through a bare HTTP server. */
  async #byteFloor(direction: 'up' | 'down', sizeBytes: number, rounds: number): Promise<number> {
    const client = new ByteClient({ baseUrl: this.#subject.floorUrl, headers: {} });
    const times: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      this.#settle();
      const path = '/bench.bin';
      const work = () => (direction === 'up' ? client.put(path, sizeBytes) : client.get(path));
      const ms = await timeMs(work);
      if (round > 0) times.push(ms);
    }
    client.close();
    return median(times);
  }

  /** GNU tar from one directory of the same disk into another one. */
  #tarFloor(tree: Tree): number {
    const times: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const target = join(this.#workDir, `${basename(tree.path)}-floor-${round}`);
      mkdirSync(target);
      this.#settle();
      const startedAt = performance.now();
      execFileSync('bash', ['-c', `tar -cf - -C ${tree.path} . | tar -xf - -C ${target}`]);
      if (round > 0) times.push(performance.now() - startedAt);
    }
    return median(times);
  }

  #rounds(rounds: number): { warmUps: number; rounds: number } {
    return { warmUps: 1, rounds: this.#options.quick ? Math.min(rounds, 2) : rounds };
  }

  /** Lets the disk finish what is still to be written. */
  #settle(): void {
    execFileSync('sync', ['-f', this.#subject.workDir]);
  }
}
