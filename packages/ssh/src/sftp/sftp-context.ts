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

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What the requests of one SFTP channel work on. */
export class SftpContext {
  readonly engine: Engine;
  readonly handles: HandleTable;
  readonly #loggedIn: LoggedIn;
  #answer = Buffer.alloc(0);

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

  /** Room for one answer, good until the next request: large answers would else be a lot of garbage. */
  answerBuffer(sizeBytes: number): Buffer {
    if (this.#answer.length < sizeBytes) this.#answer = Buffer.allocUnsafeSlow(sizeBytes);
    return this.#answer.subarray(0, sizeBytes);
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
