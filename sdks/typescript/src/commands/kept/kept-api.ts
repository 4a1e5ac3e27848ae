import {
  type CommandObject,
  commandSchema,
  type CommandStatus,
  type TerminalSizeBody,
} from '@sandport/protocol';
import { header, readAll } from '../../http/answer-body.ts';
import { receiveBody } from '../../filesystem/read/receive-body.ts';
import type { Schema, Transport } from '../../http/transport.ts';
import { type Woke, wokeOf } from '../../http/woke.ts';
import { NetworkError } from '../../errors/client-errors.ts';
import type { SignalOptions } from '../../filesystem/progress.ts';
import type { CommandSignal } from '../signal.ts';

export type OutputStream = 'stdout' | 'stderr';

/** A piece of what a stream of a command keeps. */
export interface KeptOutput {
  readonly bytes: Uint8Array;
  /** Of the first byte; later than asked for when older ones are gone. */
  readonly offset: number;
  /** Where the next read goes on. */
  readonly nextOffset: number;
}

export interface ListCommandsOptions extends SignalOptions {
  /** Only those. @default all */
  status?: CommandStatus | undefined;
}

const commandListSchema: Schema<CommandObject[]> = {
  parse: (value) => commandSchema.array().parse(value),
};

/** The routes of the kept commands of one sandbox. */
export class KeptApi {
  readonly transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, sandboxPath: string) {
    this.transport = transport;
    this.#path = `${sandboxPath}/commands`;
  }

  pathOf(id: string): string {
    return `${this.#path}/${encodeURIComponent(id)}`;
  }

  /** A sandbox that sleeps is woken for it. */
  async start(
    json: object,
    { signal }: SignalOptions,
  ): Promise<{ info: CommandObject; woke: Woke | undefined }> {
    const idleTimeoutMs = this.transport.slowTimeoutMs;
    const { value, message } = await this.transport.jsonWithHead(
      { method: 'POST', path: this.#path, json, signal, idleTimeoutMs },
      commandSchema,
    );
    return { info: value, woke: wokeOf(message) };
  }

  list({ status, signal }: ListCommandsOptions): Promise<CommandObject[]> {
    const query = { status };
    return this.transport.json(
      { method: 'GET', path: this.#path, query, signal },
      commandListSchema,
    );
  }

  get(id: string, { signal }: SignalOptions): Promise<CommandObject> {
    return this.transport.json({ method: 'GET', path: this.pathOf(id), signal }, commandSchema);
  }

  async remove(id: string, { signal }: SignalOptions): Promise<void> {
    const idleTimeoutMs = this.transport.slowTimeoutMs;
    await this.transport.drain({ method: 'DELETE', path: this.pathOf(id), signal, idleTimeoutMs });
  }

  async signal(id: string, name: CommandSignal): Promise<void> {
    await this.#post(id, 'signal', { signal: name });
  }

  async resize(id: string, size: TerminalSizeBody): Promise<void> {
    await this.#post(id, 'resize', size);
  }

  /** The daemon reads the body as fast as the command does, which may be never. */
  async feed(
    id: string,
    bytes: Uint8Array | undefined,
    { eof, signal }: SignalOptions & { eof?: true },
  ): Promise<void> {
    await this.transport.drain({
      method: 'PUT',
      path: `${this.pathOf(id)}/stdin`,
      query: { eof: eof === true ? 1 : undefined },
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes && { kind: 'bytes', bytes },
      repeatable: false,
      signal,
      idleTimeoutMs: 0,
    });
  }

  async output(
    id: string,
    query: { stream: OutputStream; since: number; limit?: number | undefined },
    { signal }: SignalOptions,
  ): Promise<KeptOutput> {
    const spec = { method: 'GET', path: `${this.pathOf(id)}/output`, query, signal } as const;
    const message = await this.transport.send(spec);
    try {
      const offset = Number(header(message, 'x-sandport-offset'));
      const nextOffset = Number(header(message, 'x-sandport-next-offset'));
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(nextOffset)) {
        throw new NetworkError('The daemon did not tell which part of the output this is.');
      }
      const bytes = await readAll(receiveBody(this.transport, message, spec));
      return { bytes, offset, nextOffset };
    } finally {
      message.destroy();
    }
  }

  async #post(id: string, action: string, json: object): Promise<void> {
    const spec = { method: 'POST', path: `${this.pathOf(id)}/${action}` } as const;
    const bytes = Buffer.from(JSON.stringify(json));
    const headers = { 'content-type': 'application/json' };
    await this.transport.drain({ ...spec, headers, body: { kind: 'bytes', bytes } });
  }
}
