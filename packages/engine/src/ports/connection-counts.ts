import { SandportFault } from '@sandport/protocol';

/** Most connections to the ports of one sandbox that come from outside. */
const maxConnections = 256;

/** Counts connections to ports, so that one sandbox does not hold more than its share. */
export class ConnectionCounts {
  readonly #counts = new Map<string, number>();

  /**
   * Counts one more, until the result is called.
   * @throws SandportFault `limit_reached`
   */
  take(sandbox: string): () => void {
    const count = this.#counts.get(sandbox) ?? 0;
    if (count >= maxConnections)
      throw new SandportFault(
        'limit_reached',
        `There are ${maxConnections} connections to ports of this sandbox already.`,
        { limit: maxConnections, resource: 'connections' },
      );
    this.#counts.set(sandbox, count + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.#counts.get(sandbox) ?? 1) - 1;
      if (left === 0) this.#counts.delete(sandbox);
      else this.#counts.set(sandbox, left);
    };
  }
}
