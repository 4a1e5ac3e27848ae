import type { PeerStream } from '../peer/peer-stream.ts';
import type { SpdyHeaders } from '../spdy/header-block.ts';
import type { SpdySession } from '../spdy/spdy-session.ts';
import type { ExecQuery } from './exec-query.ts';
import type { ExecWire } from './exec-wire.ts';

type StreamType = 'stdin' | 'stdout' | 'stderr' | 'error' | 'resize';

/** How long a client has to open its streams. */
const streamsTimeoutMs = 30_000;

/** Gathers the streams that a client of exec opens, each with its `streamtype`. */
export class SpdyExec {
  readonly #expected: ReadonlySet<string>;
  readonly #streams = new Map<string, PeerStream>();
  readonly #complete: Promise<void>;
  #completed: () => void = () => {};

  constructor({ stdin, stdout, stderr, tty }: ExecQuery) {
    this.#expected = new Set<StreamType>([
      'error',
      ...(stdin ? (['stdin'] as const) : []),
      ...(stdout ? (['stdout'] as const) : []),
      ...(stderr ? (['stderr'] as const) : []),
      ...(tty ? (['resize'] as const) : []),
    ]);
    this.#complete = new Promise((resolve) => {
      this.#completed = resolve;
    });
  }

  /** Takes a stream that the client opened. */
  opened(stream: PeerStream, headers: SpdyHeaders): void {
    const type = headers.get('streamtype')?.toLowerCase() ?? '';
    if (!this.#expected.has(type) || this.#streams.has(type)) {
      stream.destroy();
      return;
    }
    this.#streams.set(type, stream);
    if (this.#streams.size === this.#expected.size) this.#completed();
  }

  /** Waits for all streams; undefined when the client does not open them in time. */
  async wire({ signal }: SpdySession): Promise<ExecWire | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, streamsTimeoutMs);
      signal.addEventListener('abort', resolve, { once: true });
    });
    await Promise.race([this.#complete, late]);
    clearTimeout(timer);
    const stream = (type: StreamType) => this.#streams.get(type);
    const error = stream('error');
    if (error === undefined || this.#streams.size < this.#expected.size) return undefined;
    return {
      stdin: stream('stdin'),
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      resize: stream('resize'),
      error,
      signal,
    };
  }
}
