import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { encodeFrame, type Frame, FrameReader } from '../frames.ts';
import { InitChannel } from '../init-channel.ts';
import type { PortStream } from '../port-stream.ts';
import type { InitCommand } from '../running-command.ts';
import { FromInit, PROTOCOL_VERSION, ToInit } from '../wire.ts';

export const spec = { args: ['true'], cwd: '/', env: {}, user: 'root' };

/** For tests: a channel, and peers of it that are no inits. */
export class FakeInit implements AsyncDisposable {
  readonly token = randomBytes(32).toString('hex');
  readonly directory: string;
  readonly logged: string[] = [];
  readonly #sockets: Socket[] = [];
  #channel: InitChannel | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<FakeInit> {
    const fake = new FakeInit(await mkdtemp(path.join(tmpdir(), 'init-')));
    const { socketPath, token } = fake;
    const onLog = (text: string) => fake.logged.push(text);
    fake.#channel = await InitChannel.listen({ socketPath, token, onLog });
    return fake;
  }

  get socketPath(): string {
    return path.join(this.directory, 's');
  }

  get channel(): InitChannel {
    if (this.#channel === undefined) throw new Error('not open');
    return this.#channel;
  }

  /** A connection that has said nothing yet. */
  async dial(): Promise<Socket> {
    for (;;) {
      const socket = connect(this.socketPath);
      this.#sockets.push(socket);
      const [problem] = await Promise.race([
        once(socket, 'connect').then(() => []),
        once(socket, 'error'),
      ]);
      if (problem === undefined) return socket.on('error', () => {});
      await sleep(10);
    }
  }

  hello(token = this.token, version = PROTOCOL_VERSION): Buffer {
    const payload = Buffer.concat([Buffer.from([version, 0]), Buffer.from(token)]);
    return encodeFrame(FromInit.hello, 0, payload);
  }

  /** A peer that has authenticated, and all that it was sent. */
  async authenticated(): Promise<{ socket: Socket; frames: Frame[] }> {
    const socket = await this.dial();
    const frames: Frame[] = [];
    const reader = new FrameReader(1024 * 1024);
    socket.on('data', (chunk: Buffer) => frames.push(...reader.read(chunk)));
    socket.write(this.hello());
    await vi.waitFor(() => expect(frames[0]?.type).toBe(ToInit.helloOk));
    return { socket, frames };
  }

  /** A command that the peer says it runs. */
  async running(): Promise<{ socket: Socket; command: InitCommand; id: number }> {
    const { socket, frames } = await this.authenticated();
    const starting = this.channel.start({ ...spec, stdin: true });
    const { id } = await arrived(frames, ToInit.start);
    socket.write(encodeFrame(FromInit.started, id, Buffer.from([7, 0, 0, 0])));
    return { socket, command: await starting, id };
  }

  /** A connection to port 80 that the peer says it holds. */
  async connected(): Promise<{ socket: Socket; frames: Frame[]; port: PortStream; id: number }> {
    const { socket, frames } = await this.authenticated();
    const connecting = this.channel.connect(80);
    const { id, payload } = await arrived(frames, ToInit.connect);
    expect(payload).toEqual(Buffer.from([80, 0]));
    socket.write(encodeFrame(FromInit.connected, id));
    return { socket, frames, port: await connecting, id };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#channel?.[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true });
  }
}

/** The first frame of a type, once it is there. */
export function arrived(frames: readonly Frame[], type: number): Promise<Frame> {
  return vi.waitFor(() => {
    const frame = frames.find((each) => each.type === type);
    if (frame === undefined) throw new Error(`no frame ${type}`);
    return frame;
  });
}

export function closed(socket: Socket): Promise<unknown> {
  return socket.destroyed ? Promise.resolve() : once(socket.resume(), 'close');
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
