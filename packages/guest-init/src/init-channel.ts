import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { Handshake, type Hello, welcome } from './handshake.ts';
import { InitConnection } from './init-connection.ts';
import { InitError } from './init-error.ts';
import type { KeptOwner } from './kept/kept-owner.ts';
import type { KeptProcess } from './kept/kept-process.ts';
import { KeptProcesses } from './kept/kept-processes.ts';
import type { PortStream } from './port-stream.ts';
import type { InitCommand } from './running-command.ts';
import type { InitCommandSpec } from './start-payload.ts';
import { PROTOCOL_VERSION, PROTOCOL_VERSION_FIRST, PROTOCOL_VERSION_THIRD } from './wire.ts';

/** What fits into sockaddr_un. */
const SOCKET_PATH_MAX_BYTES = 107;
const TOKEN = /^[\x21-\x7e]{32,256}$/;
/** Until the next try to listen, when that failed. */
const LISTEN_RETRY_MS = 250;

export interface InitChannelOptions {
  /** In a directory that the guest cannot write to. At most 107 bytes. */
  readonly socketPath: string;
  /** 32 to 256 printable ASCII characters; the init has the same in its token file. */
  readonly token: string;
  /** Commands that outlive the channel. @default none, and an init that has some must end them */
  readonly kept?: KeptProcesses;
  /** Gets what the init logs, and why a connection was dropped. @default nothing is logged */
  readonly onLog?: (text: string) => void;
}

/**
 * The daemon's end of the connection to one sandbox's init. The socket exists only while no init
 * is connected: the guest has nothing to connect to in the meantime.
 */
export class InitChannel implements AsyncDisposable {
  readonly #socketPath: string;
  readonly #onLog: (text: string) => void;
  readonly #kept: KeptProcesses;
  readonly #handshake: Handshake;
  readonly #connectListeners = new Set<() => void>();
  readonly #disconnectListeners = new Set<() => void>();
  readonly #waiting = new Set<(error: InitError) => void>();
  #connection: InitConnection | undefined;
  /** Waits for the init to come back from its suspension. */
  #suspended: InitConnection | undefined;
  /** False while nobody may connect. */
  #accepting = true;
  #quiet = false;
  #version = PROTOCOL_VERSION;
  #server: Server | undefined;
  /** Opens and closes of the listening socket run one after the other. */
  #listening: Promise<void> = Promise.resolve();
  #retryTimer: NodeJS.Timeout | undefined;
  #disposed = false;

  private constructor(options: InitChannelOptions) {
    this.#socketPath = options.socketPath;
    this.#onLog = options.onLog ?? (() => {});
    this.#kept = options.kept ?? new KeptProcesses();
    this.#handshake = new Handshake(options.token, (socket, hello) =>
      this.#onAccepted(socket, hello),
    );
  }

  /**
   * Begins to listen; a stale socket file is replaced.
   * @throws RangeError for a token or a path that cannot be used; errors of the file system
   */
  static async listen(options: InitChannelOptions): Promise<InitChannel> {
    const pathBytes = Buffer.byteLength(options.socketPath);
    if (pathBytes > SOCKET_PATH_MAX_BYTES) {
      throw new RangeError(
        `the socket path ${options.socketPath} has ${pathBytes} bytes; ` +
          `UNIX sockets allow ${SOCKET_PATH_MAX_BYTES}: choose a shorter data directory`,
      );
    }
    if (!TOKEN.test(options.token)) {
      throw new RangeError('the token must be 32 to 256 printable ASCII characters');
    }
    const channel = new InitChannel(options);
    await channel.#open();
    return channel;
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** @throws InitError `disconnected` when it takes longer; the signal's reason */
  whenConnected(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.connected) return Promise.resolve();
    if (this.#disposed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#connectListeners.delete(onConnect);
        this.#waiting.delete(onClosed);
        settle();
      };
      const onClosed = (error: InitError) => finish(() => reject(error));
      const onConnect = () => finish(resolve);
      const onAbort = () => finish(() => reject(signal?.reason));
      const timer = setTimeout(() => {
        const message = `the init did not connect within ${timeoutMs} ms`;
        finish(() => reject(new InitError('disconnected', message)));
      }, timeoutMs);
      this.#connectListeners.add(onConnect);
      this.#waiting.add(onClosed);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted === true) onAbort();
    });
  }

  /**
   * Resolves when the init has told of the commands that it keeps. One of an earlier release keeps
   * none.
   * @throws InitError `unresponsive` when it takes longer, `disconnected`
   */
  async whenListed(timeoutMs: number): Promise<void> {
    await this.#requireConnection().whenListed(timeoutMs);
  }

  /** Called each time the init goes away; not on dispose. */
  onDisconnect(listener: () => void): void {
    this.#disconnectListeners.add(listener);
  }

  /**
   * Resolves when the program runs.
   * @throws InitError `not_started`, `unresponsive` (10 s), `disconnected`, `protocol`, `outdated`
   */
  async start(spec: InitCommandSpec): Promise<InitCommand> {
    const connection = this.#requireConnection();
    if (spec.terminal !== undefined) this.#requireThird('terminals');
    return connection.start(spec);
  }

  /**
   * Starts a command that goes on when the connection ends. Its owner gets what it writes, over all
   * connections and channels with the same `kept`, until it is forgotten.
   * @throws InitError as {@link start}
   */
  async keep(spec: InitCommandSpec, owner: KeptOwner): Promise<KeptProcess> {
    return this.#requireConnection().keep(spec, owner);
  }

  /**
   * Connects to a TCP port of the sandbox's loopback. The stream ends each direction on its own; it
   * breaks when the init is suspended or goes away.
   * @throws InitError `not_connected`, `unresponsive`, `disconnected`, `protocol`, `outdated`
   */
  async connect(port: number): Promise<PortStream> {
    const connection = this.#requireConnection();
    this.#requireThird('connections to ports');
    return connection.connect(port);
  }

  /**
   * Resolves to the round trip in milliseconds.
   * @throws InitError `unresponsive`, `disconnected`
   */
  async ping(timeoutMs: number): Promise<number> {
    return this.#requireConnection().ping(timeoutMs);
  }

  /**
   * Tasks that the init's kernel had when it answered a ping last, as the guest says; undefined
   * before, and for inits of the first release.
   */
  get tasks(): number | undefined {
    return this.#connection?.tasks;
  }

  /**
   * Ends the connection so that the sandbox can be frozen in an image: the init sends what it has
   * and lets go of the socket; nothing can connect until {@link resume}. Commands wait, as does
   * what they are sent. They fail when the init cannot be suspended: one of the first release, or
   * one that is not there.
   * @throws InitError `not_suspended`: nothing has changed; `unresponsive` when it takes longer,
   * `protocol`: the channel waits for a new connection
   */
  async suspend(timeoutMs: number): Promise<void> {
    const connection = this.#connection;
    this.#accepting = false;
    if (connection !== undefined && this.#version !== PROTOCOL_VERSION_FIRST) {
      this.#connection = undefined;
      this.#suspended = connection;
      try {
        await connection.suspend(timeoutMs);
      } catch (error) {
        if (this.#suspended === connection) {
          this.#suspended = undefined;
          this.#connection = connection;
        }
        this.resume();
        throw error;
      }
    } else {
      connection?.close(new InitError('disconnected', 'its connection was ended'));
    }
    await this.#close();
  }

  /** Listens again after {@link suspend}. Commands go on when the init comes back with them. */
  resume(): void {
    this.#accepting = true;
    this.#reopen();
  }

  /** For the time in which the init is frozen: that it does not answer is held against nobody. */
  setQuiet(quiet: boolean): void {
    this.#quiet = quiet;
    this.#connection?.setQuiet(quiet);
  }

  /**
   * Tells the init's memory guard a new limit. Inits of the first release keep theirs.
   * @throws InitError `disconnected`
   */
  setMemoryLimit(memoryBytes: number): void {
    if (this.#version !== PROTOCOL_VERSION_FIRST)
      this.#requireConnection().setMemoryLimit(memoryBytes);
  }

  /** Ends the connection and removes the socket; commands go on inside the sandbox. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#retryTimer);
    this.#handshake.close();
    this.#connection?.close(closedError());
    this.#suspended?.close(closedError());
    for (const giveUp of [...this.#waiting]) giveUp(closedError());
    await this.#close();
  }

  #requireConnection(): InitConnection {
    const connection = this.#connection ?? this.#suspended;
    if (connection === undefined) {
      throw new InitError('disconnected', 'the init is not connected');
    }
    return connection;
  }

  #requireThird(what: string): void {
    if (this.#version < PROTOCOL_VERSION_THIRD)
      throw new InitError('outdated', `an init of an earlier release knows no ${what}`);
  }

  #onAccepted(socket: Socket, hello: Hello): void {
    if (this.#disposed || !this.#accepting) {
      socket.destroy();
      return;
    }
    const previous = this.#connection;
    const suspended = this.#suspended;
    this.#suspended = undefined;
    this.#version = hello.version;
    const resumed = hello.suspended ? suspended : undefined;
    welcome(socket, hello, resumed !== undefined);
    if (resumed === undefined) {
      suspended?.close(new InitError('disconnected', 'the init has forgotten its commands'));
    } else {
      resumed.resume(socket);
    }
    const connection = resumed ?? this.#connect(socket);
    connection.setQuiet(this.#quiet);
    this.#connection = connection;
    previous?.close(new InitError('disconnected', 'the init connected anew'));
    this.#handshake.close();
    void this.#close();
    for (const listener of this.#connectListeners) listener();
  }

  #connect(socket: Socket): InitConnection {
    const connection = new InitConnection(socket, {
      kept: this.#version < PROTOCOL_VERSION ? undefined : this.#kept,
      onLog: this.#onLog,
      onClose: () => this.#onConnectionClosed(connection),
    });
    return connection;
  }

  #onConnectionClosed(connection: InitConnection): void {
    if (this.#suspended === connection) this.#suspended = undefined;
    if (this.#connection === connection) {
      this.#connection = undefined;
      if (!this.#disposed) this.#reopen();
    }
    if (this.#disposed) return;
    for (const listener of this.#disconnectListeners) listener();
  }

  #reopen(): void {
    this.#open().catch((error: unknown) => {
      this.#onLog(`cannot listen for the init: ${String(error)}`);
      if (this.#disposed) return;
      this.#retryTimer = setTimeout(() => this.#reopen(), LISTEN_RETRY_MS).unref();
    });
  }

  #open(): Promise<void> {
    const opened = this.#listening.then(async () => {
      if (this.#disposed || !this.#accepting) return;
      if (this.#server !== undefined || this.connected) return;
      await rm(this.#socketPath, { force: true });
      const server = createServer((socket) => this.#handshake.begin(socket));
      server.on('error', (error) => this.#onLog(`listening for the init: ${error.message}`));
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(this.#socketPath, () => {
          server.off('error', reject);
          resolve();
        });
      });
      this.#server = server;
      // Inside the sandbox the init has another user id; the directory is what protects it.
      await chmod(this.#socketPath, 0o666);
    });
    this.#listening = opened.catch(() => {});
    return opened;
  }

  #close(): Promise<void> {
    this.#listening = this.#listening.then(() => {
      if (!this.#disposed && this.#accepting && !this.connected) return;
      // Removes the socket file; connections that were accepted stay.
      this.#server?.close();
      this.#server = undefined;
    });
    return this.#listening;
  }
}

const closedError = () => new InitError('disconnected', 'the channel was closed');
