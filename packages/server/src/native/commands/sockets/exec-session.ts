import { setMaxListeners } from 'node:events';
import type { Engine, Principal } from '@sandport/engine';
import {
  maxSocketCommands,
  SandportFault,
  type SocketControl,
  socketControlSchema,
  type SocketStart,
  socketStartSchema,
} from '@sandport/protocol';
import type { RawData, WebSocket } from 'ws';
import { check } from '../../../http/read-json.ts';
import { asBuffer } from '../../../http/web-socket/as-buffer.ts';
import { ReadGate } from '../../../http/web-socket/read-gate.ts';
import { send } from '../../../http/web-socket/send.ts';
import { faultBody, type OnUnexpected } from './fault-body.ts';
import { SocketCommand } from './socket-command.ts';

export interface ExecSessionOptions {
  readonly engine: Engine;
  readonly principal: Principal;
  readonly sandbox: string;
  readonly onUnexpected: OnUnexpected;
}

/** The commands of one connection of `…/exec/ws`. Those in the foreground end with it. */
export class ExecSession {
  readonly #options: ExecSessionOptions;
  readonly #webSocket: WebSocket;
  readonly #commands = new Map<string | number, SocketCommand>();
  readonly #over = new AbortController();
  readonly #gate: ReadGate;

  constructor(webSocket: WebSocket, options: ExecSessionOptions) {
    this.#webSocket = webSocket;
    this.#options = options;
    this.#gate = new ReadGate(webSocket);
    // Some for each command, and the number of those is bounded.
    setMaxListeners(0, this.#over.signal);
    webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    webSocket.once('close', () => this.#over.abort());
  }

  #receive(data: RawData, isBinary: boolean): void {
    let id: unknown;
    try {
      const message = parse(data, isBinary);
      id = message['id'];
      if ('cmd' in message || 'args' in message) this.#start(check(socketStartSchema, message));
      else this.#tell(check(socketControlSchema, message));
    } catch (error) {
      const isId = typeof id === 'string' || typeof id === 'number';
      const body = faultBody(error, this.#options.onUnexpected);
      void this.#gate.until(send(this.#webSocket, { ...(isId ? { id } : {}), ...body }));
    }
  }

  #start(request: SocketStart): void {
    const { id } = request;
    if (this.#commands.has(id))
      throw new SandportFault(
        'invalid_request',
        `A command with the id ${JSON.stringify(id)} runs.`,
        {
          field: 'id',
        },
      );
    if (this.#commands.size >= maxSocketCommands)
      throw new SandportFault(
        'limit_reached',
        `The connection has ${maxSocketCommands} commands already.`,
        {
          limit: maxSocketCommands,
          resource: 'commands',
        },
      );
    const command = new SocketCommand(request, {
      ...this.#options,
      send: (message) => send(this.#webSocket, { id, ...message }),
      over: this.#over.signal,
      gate: this.#gate,
      onEnd: () => this.#commands.delete(id),
    });
    this.#commands.set(id, command);
  }

  #tell(control: SocketControl): void {
    const command = this.#commands.get(control.id);
    if (command === undefined)
      throw new SandportFault(
        'command_not_found',
        `No command with the id ${JSON.stringify(control.id)} runs.`,
      );
    command.tell(control);
  }
}

function parse(data: RawData, isBinary: boolean): Record<string, unknown> {
  const invalid = (why: string) => new SandportFault('invalid_request', why, { field: 'message' });
  if (isBinary) throw invalid('Messages must be text.');
  let message: unknown;
  try {
    message = JSON.parse(asBuffer(data).toString());
  } catch {
    throw invalid('The message is not valid JSON.');
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    throw invalid('The message must be an object.');
  return { ...message };
}
