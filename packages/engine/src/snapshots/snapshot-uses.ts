import type { SnapshotId } from '@sandport/protocol';

interface Use {
  count: number;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

/** Counts who uses a snapshot at this moment. */
export class SnapshotUses {
  readonly #uses = new Map<SnapshotId, Use>();

  /** @returns ends the use; calls after the first do nothing */
  begin(id: SnapshotId): () => void {
    const use = this.#uses.get(id) ?? newUse();
    this.#uses.set(id, use);
    use.count += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      use.count -= 1;
      if (use.count > 0) return;
      this.#uses.delete(id);
      use.end();
    };
  }

  /** Resolves when nobody uses it. */
  async ended(id: SnapshotId): Promise<void> {
    await this.#uses.get(id)?.ended;
  }
}

function newUse(): Use {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { count: 0, ended, end };
}
