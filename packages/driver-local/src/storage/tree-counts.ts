import { RootedFs } from '@sandport/linux';

/** Counting a tree takes long: what was counted serves so long, in milliseconds. */
const servesForMs = 5000;
const mostKept = 10_000;

interface Count {
  endedAtMs: number;
  readonly bytes: Promise<number>;
}

/** What directories take on the disk, counted file by file, one count of each at a time. */
export class TreeCounts {
  readonly #counts = new Map<string, Count>();

  /** @param directory trusted path; what is in it is a guest's */
  count(directory: string): Promise<number> {
    const known = this.#counts.get(directory);
    if (known && performance.now() - known.endedAtMs < servesForMs) return known.bytes;
    if (this.#counts.size >= mostKept) this.#counts.clear();
    const count: Count = { endedAtMs: Number.POSITIVE_INFINITY, bytes: countTree(directory) };
    this.#counts.set(directory, count);
    count.bytes.then(
      () => (count.endedAtMs = performance.now()),
      () => this.forget(directory),
    );
    return count.bytes;
  }

  forget(directory: string): void {
    this.#counts.delete(directory);
  }
}

async function countTree(directory: string): Promise<number> {
  using root = RootedFs.open(directory, { hiddenAreas: [] });
  return (await root.usage('/')).diskBytes;
}
