import type { SandboxFiles } from '@sandport/driver';
import type { Engine } from '@sandport/engine';
import { type GuestPath, parseGuestPath, SandportFault } from '@sandport/protocol';
import type { LoggedIn } from '../login/logged-in.ts';
import type { HandleTable } from './handles/handle-table.ts';

export interface SftpContextOptions {
  readonly engine: Engine;
  readonly loggedIn: LoggedIn;
  readonly handles: HandleTable;
}

/** Reads, or writes, that may be under way at a time. */
export const maxUnderWay = 3;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What the requests of one SFTP channel work on. */
export class SftpContext {
  readonly engine: Engine;
  readonly handles: HandleTable;
  readonly #loggedIn: LoggedIn;
  /** One for each answer under way; they take turns. */
  readonly #answers = Array.from({ length: maxUnderWay }, () => Buffer.alloc(0));
  #turn = 0;

  constructor({ engine, loggedIn, handles }: SftpContextOptions) {
    this.engine = engine;
    this.handles = handles;
    this.#loggedIn = loggedIn;
  }

  /** @throws SandportFault `sandbox_not_found`, `invalid_state` */
  reading(): Promise<SandboxFiles> {
    return this.engine.files.reading(this.#loggedIn.principal, this.#loggedIn.sandbox);
  }

  /** Wakes a hibernated sandbox. @throws SandportFault `sandbox_not_found`, `invalid_state` */
  writing(): Promise<SandboxFiles> {
    return this.engine.files.writing(this.#loggedIn.principal, this.#loggedIn.sandbox);
  }

  /** The user whose files they are, and where relative paths begin: where commands do. */
  get sandbox(): { readonly user: string; readonly workdir: string } {
    return this.engine.sandboxes.get(this.#loggedIn.principal, this.#loggedIn.sandbox);
  }

  /**
   * Room for one answer, good while not more than {@link maxUnderWay} are under way: large answers
   * would else be a lot of garbage.
   */
  answerBuffer(sizeBytes: number): Buffer {
    this.#turn = (this.#turn + 1) % maxUnderWay;
    const kept = this.#answers[this.#turn];
    if (kept !== undefined && kept.length >= sizeBytes) return kept.subarray(0, sizeBytes);
    const larger = Buffer.allocUnsafeSlow(sizeBytes);
    this.#answers[this.#turn] = larger;
    return larger;
  }

  /** A path as a client sent it. @throws SandportFault `invalid_path`, `file_not_found` */
  path(bytes: Buffer): GuestPath {
    const text = decode(bytes);
    if (text.startsWith('/')) return parseGuestPath(text);
    const { workdir } = this.sandbox;
    return parseGuestPath(text === '' ? workdir : `${workdir.replace(/\/+$/, '')}/${text}`);
  }
}

/** @throws SandportFault `file_not_found` for names that are not UTF-8, which are not served */
export function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    const path = bytes.toString().slice(0, 200);
    throw new SandportFault(
      'file_not_found',
      'Names that are not UTF-8 are not served; rename the file inside the sandbox.',
      { path },
    );
  }
}
