import type { DnsReply } from './messages.ts';

const mostEntries = 2000;
/** Largest answer that is kept, as it came: whoever owns a name decides how long its answers are. */
const mostBytes = 4096;
const mostSeconds = 300;
/** For how long it is remembered that there is nothing. */
const emptySeconds = 10;

/** What resolvers have said lately, for all sandboxes. */
export class AnswerCache {
  readonly #entries = new Map<string, { reply: DnsReply; untilMs: number }>();

  get(name: string, type: string): DnsReply | undefined {
    const entry = this.#entries.get(`${name} ${type}`);
    return entry !== undefined && entry.untilMs > performance.now() ? entry.reply : undefined;
  }

  /** Failures and long answers are not kept. */
  put(name: string, type: string, reply: DnsReply, sizeBytes: number): void {
    if (reply.code === 'SERVFAIL' || sizeBytes > mostBytes) return;
    const times = reply.answers.map((each) => ('ttl' in each ? (each.ttl ?? 0) : 0));
    const seconds = times.length === 0 ? emptySeconds : Math.min(...times, mostSeconds);
    if (seconds <= 0) return;
    const key = `${name} ${type}`;
    this.#entries.delete(key);
    this.#entries.set(key, { reply, untilMs: performance.now() + seconds * 1000 });
    // The oldest entry is the first.
    for (const old of this.#entries.keys()) {
      if (this.#entries.size <= mostEntries) break;
      this.#entries.delete(old);
    }
  }
}
