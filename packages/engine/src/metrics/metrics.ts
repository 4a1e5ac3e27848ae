import type { Driver, SandboxUsage } from '@sandport/driver';
import type { MetricsSample, Metrics as MetricsObject } from '@sandport/protocol';
import type { Principal } from '../principal.ts';
import { type Entry, specOf } from '../sandboxes/entry.ts';
import type { Registry } from '../sandboxes/registry.ts';
import { CpuShare } from './cpu-share.ts';
import { History, type Sample } from './history.ts';

export interface MetricsOptions {
  readonly driver: Pick<Driver, 'usage'>;
  readonly registry: Registry;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
  /** Between two samples of the history, in milliseconds. @default 10_000 */
  readonly everyMs?: number;
}

/** What is remembered of what a sandbox used. */
interface Track {
  readonly cpu: CpuShare;
  /** Present once there is a sample: it takes its memory at once. */
  history: History | undefined;
  underWay: boolean;
}

const defaultEveryMs = 10_000;
/** An hour of samples. */
const keptSamples = 360;
/** Sandboxes that are looked at in one go, before others have their turn. */
const atOnce = 10;
/** A count of files or processes serves so long for the history, in milliseconds. */
const countAgeMs = 60_000;

/** What sandboxes use, now and over the last hour. To look at one does not count as using it. */
export class Metrics implements Disposable {
  readonly #options: MetricsOptions;
  readonly #tracks = new WeakMap<Entry, Track>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  /** Begins the history. */
  start(): void {
    const everyMs = this.#options.everyMs ?? defaultEveryMs;
    this.#timer = setInterval(() => void this.sampleAll(), everyMs).unref();
  }

  /**
   * @param historySeconds how far back the history goes @default 3600
   * @throws SandportFault `sandbox_not_found`
   */
  async get(principal: Principal, idOrName: string, historySeconds = 3600): Promise<MetricsObject> {
    const entry = this.#options.registry.find(principal, idOrName);
    const track = this.#trackOf(entry);
    const usage = await this.#usageOf(entry);
    const sample = sampleOf(usage, track.cpu.percent(usage, performance.now()));
    const { limits } = specOf(entry.row);
    return {
      ...sampleObject(sample),
      status: entry.row.status,
      pid: usage.pid ?? 0,
      uptime_seconds: Math.round(usage.uptimeSeconds * 100) / 100,
      cpu_seconds: Math.round(usage.cpuSeconds * 1000) / 1000,
      cpu_limit: limits.cpu,
      memory_limit_bytes: limits.memoryBytes,
      ...(usage.memoryPeakBytes === undefined ? {} : { memory_peak_bytes: usage.memoryPeakBytes }),
      ...(limits.diskBytes === undefined ? {} : { disk_limit_bytes: limits.diskBytes }),
      pids_limit: limits.pids,
      host_cpu_percent: sample.cpuPercent,
      host_rss_bytes: usage.memoryBytes,
      threads: usage.pids,
      history: (track.history?.since(Date.now() - historySeconds * 1000) ?? []).map(sampleObject),
    };
  }

  /** Takes a sample of each sandbox that has processes. */
  async sampleAll(): Promise<void> {
    const entries = this.#options.registry
      .all()
      .filter(({ row }) => !row.pooled && (row.status === 'running' || row.status === 'paused'));
    for (let from = 0; from < entries.length && !this.#closed; from += atOnce) {
      for (const entry of entries.slice(from, from + atOnce)) void this.#sample(entry);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Ends the history. */
  [Symbol.dispose](): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** One whose files take long to count misses samples. */
  async #sample(entry: Entry): Promise<void> {
    const track = this.#trackOf(entry);
    if (track.underWay) return;
    track.underWay = true;
    try {
      const usage = await this.#options.driver.usage(entry.row.id, { countAgeMs });
      const share = track.cpu.percent(usage, performance.now());
      track.history ??= new History(keptSamples);
      track.history.add(sampleOf(usage, share));
    } catch (error) {
      // It may have been deleted meanwhile.
      if (this.#options.registry.byId(entry.row.id) === entry && entry.row.status !== 'deleted')
        this.#options.log('sandbox not measured', {
          sandbox: entry.row.id,
          error: String(error),
        });
    } finally {
      track.underWay = false;
    }
  }

  /** One that is not there yet, or cannot be taken over, uses nothing that could be told. */
  async #usageOf({ row, sandbox }: Entry): Promise<SandboxUsage> {
    return row.status === 'creating' || sandbox === undefined
      ? noUsage
      : this.#options.driver.usage(row.id);
  }

  #trackOf(entry: Entry): Track {
    const known = this.#tracks.get(entry);
    if (known !== undefined) return known;
    const track: Track = { cpu: new CpuShare(), history: undefined, underWay: false };
    this.#tracks.set(entry, track);
    return track;
  }
}

const noUsage: SandboxUsage = {
  uptimeSeconds: 0,
  cpuSeconds: 0,
  memoryBytes: 0,
  pids: 0,
  diskBytes: 0,
  networkReceivedBytes: 0,
  networkSentBytes: 0,
};

const sampleOf = (usage: SandboxUsage, cpuPercent: number): Sample => ({
  atMs: Date.now(),
  cpuPercent,
  memoryBytes: usage.memoryBytes,
  diskBytes: usage.diskBytes,
  pids: usage.pids,
  networkReceivedBytes: usage.networkReceivedBytes,
  networkSentBytes: usage.networkSentBytes,
});

const sampleObject = (sample: Sample): MetricsSample => ({
  at: new Date(sample.atMs).toISOString(),
  cpu_percent: sample.cpuPercent,
  memory_bytes: sample.memoryBytes,
  disk_bytes: sample.diskBytes,
  pids: sample.pids,
  network_received_bytes: sample.networkReceivedBytes,
  network_sent_bytes: sample.networkSentBytes,
});
