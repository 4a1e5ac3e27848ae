/** What a sandbox used at one moment. */
export interface Sample {
  readonly atMs: number;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly pids: number;
  readonly networkReceivedBytes: number;
  readonly networkSentBytes: number;
}

const fields = 7;

/** The last samples of a sandbox, in a block of memory that does not grow. */
export class History {
  readonly #values: Float64Array;
  readonly #size: number;
  /** How many there ever were. */
  #count = 0;

  /** @param size most samples that are kept */
  constructor(size: number) {
    this.#size = size;
    this.#values = new Float64Array(size * fields);
  }

  add(sample: Sample): void {
    const at = (this.#count % this.#size) * fields;
    this.#values.set(
      [
        sample.atMs,
        sample.cpuPercent,
        sample.memoryBytes,
        sample.diskBytes,
        sample.pids,
        sample.networkReceivedBytes,
        sample.networkSentBytes,
      ],
      at,
    );
    this.#count += 1;
  }

  /** Oldest first. @param fromMs none that is older */
  since(fromMs: number): Sample[] {
    const samples: Sample[] = [];
    for (let index = Math.max(this.#count - this.#size, 0); index < this.#count; index++) {
      const sample = this.#at(index);
      if (sample.atMs >= fromMs) samples.push(sample);
    }
    return samples;
  }

  #at(index: number): Sample {
    const at = (index % this.#size) * fields;
    const [
      atMs = 0,
      cpuPercent = 0,
      memoryBytes = 0,
      diskBytes = 0,
      pids = 0,
      networkReceivedBytes = 0,
      networkSentBytes = 0,
    ] = this.#values.subarray(at, at + fields);
    return {
      atMs,
      cpuPercent,
      memoryBytes,
      diskBytes,
      pids,
      networkReceivedBytes,
      networkSentBytes,
    };
  }
}
