import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '@sandport/engine';
import type { Logger } from 'pino';
import ssh2, { type AuthContext, type Connection } from 'ssh2';
import type { SlowDown } from '../admission/slow-down.ts';
import { forwardPort, isForwarded } from '../forward/forward-port.ts';
import type { HostKey } from '../host-key.ts';
import { gatherWrites } from '../library/gathered-writes.ts';
import { hastenCipher, type Refusal, refuseWith } from '../library/protocol-inside.ts';
import { attempt } from '../login/authenticate.ts';
import { isStillAllowed, type LoggedIn } from '../login/logged-in.ts';
import { Budget } from '../sftp/handles/budget.ts';
import { maxHandles } from '../sftp/operations/index.ts';
import { serveSession } from '../session/serve-session.ts';
import { algorithms, preferFastCiphers } from './algorithms.ts';
import { noLongerAllowed, onlyOwnPorts, onlyPorts, tooManyChannels } from './refusals.ts';
import type { ConnectionContext } from './connection-context.ts';
import { OpenChannels } from './open-channels.ts';

/** Wrong attempts to log in that end a connection. */
const maxFailures = 6;
/** Keys that a client may ask about before it signs with one, and ways to log in. */
const maxQuestions = 20;
/** Bytes that a client may send to log in: keys and signatures are far smaller. */
const maxBytesBeforeLogin = 1024 * 1024;
/** New keys that may be agreed on before somebody has logged in. */
const maxEarlyRekeys = 2;

/** How long a connection may outlive the keys that it was made with, in milliseconds. */
const checkEveryMs = 10_000;

/** Channels of SFTP that one connection may have. */
const maxSftpChannels = 8;

export interface ServeConnectionOptions {
  readonly engine: Engine;
  readonly hostKey: HostKey;
  readonly logger: Logger;
  readonly slowDown: SlowDown;
  /** Files that all connections may have open by SFTP. */
  readonly openFiles: Budget;
  /** Called when somebody has the right to log in; false: there are too many already. */
  readonly onLogin: (loggedIn: LoggedIn) => boolean;
}

/** Speaks SSH with whoever is at the other end of a socket. */
export function serveConnection(socket: Socket, options: ServeConnectionOptions): void {
  const server = new ssh2.Server(
    {
      hostKeys: [options.hostKey.privateKey],
      ident: 'Sandport',
      algorithms,
      keepaliveInterval: 30_000,
      keepaliveCountMax: 3,
    },
    (connection, { header }) => {
      preferFastCiphers(connection, header.versions.software);
      serve(connection, socket, options);
    },
  );
  socket.setNoDelay(true);
  gatherWrites(socket);
  socket.on('error', () => socket.destroy());
  server.injectSocket(socket);
}

function serve(connection: Connection, socket: Socket, options: ServeConnectionOptions): void {
  const { logger } = options;
  let loggedIn: LoggedIn | undefined;
  let rekeys = 0;
  connection.on('error', (error) => {
    logger.debug({ err: error, peer: socket.remoteAddress }, 'an SSH connection broke');
    socket.destroySoon();
  });
  connection.on('rekey', () => {
    if (loggedIn === undefined && ++rekeys > maxEarlyRekeys) socket.destroy();
  });
  connection.on('handshake', () => hastenCipher(connection));
  const logIn = logInWith(socket, options, (found) => {
    loggedIn = found;
  });
  socket.on('data', () => {
    if (loggedIn === undefined && socket.bytesRead > maxBytesBeforeLogin) socket.destroy();
  });
  connection.on('authentication', (context) => {
    // The library may not take an answer for a connection that is gone.
    logIn(context).catch(() => socket.destroy());
  });
  connection.on('ready', () => {
    if (loggedIn === undefined) socket.destroy();
    else {
      const channels = new OpenChannels(socket);
      const openFiles = new Budget(maxHandles, options.openFiles);
      const sftpChannels = new Budget(maxSftpChannels);
      const { engine } = options;
      serveChannels({
        ...{ engine, loggedIn, connection, socket, logger },
        ...{ channels, openFiles, sftpChannels },
      });
    }
  });
}

/** What answers attempts to log in on one connection. */
function logInWith(
  socket: Socket,
  { engine, logger, slowDown, onLogin }: ServeConnectionOptions,
  accepted: (loggedIn: LoggedIn) => void,
): (context: AuthContext) => Promise<void> {
  let failures = 0;
  let questions = 0;
  return async (context) => {
    const result = attempt(engine, context);
    if (typeof result === 'object') {
      if (onLogin(result.loggedIn)) {
        accepted(result.loggedIn);
        context.accept();
      } else socket.destroySoon();
      return;
    }
    if (result !== 'refused' && ++questions > maxQuestions) failures = maxFailures;
    else if (result === 'known') {
      context.accept();
      return;
    }
    if (result === 'refused') {
      failures += 1;
      const address = socket.remoteAddress ?? '';
      const { delayMs, count } = slowDown.fail(address);
      const { method, username } = context;
      const fields = { peer: address, user: username.slice(0, 128), method, attempts: count };
      logger.warn(fields, 'a log-in over SSH was refused');
      await sleep(delayMs, undefined, { ref: false });
    }
    if (socket.destroyed) return;
    if (failures >= maxFailures) socket.destroySoon();
    else context.reject(['publickey', 'password']);
  };
}

function serveChannels(context: ConnectionContext): void {
  const { engine, loggedIn, connection, channels, socket } = context;
  connection.setMaxListeners(0);
  const { signal } = engine.sandboxes.find(loggedIn.principal, loggedIn.sandbox).abort;
  const leave = () => socket.destroy();
  setMaxListeners(0, signal);
  signal.addEventListener('abort', leave, { once: true });
  const checks = setInterval(() => {
    if (!isStillAllowed(engine, loggedIn)) leave();
  }, checkEveryMs).unref();
  socket.once('close', () => {
    clearInterval(checks);
    signal.removeEventListener('abort', leave);
  });
  /** A place for a channel; why not, when it is refused. */
  const place = (): Disposable | Refusal => {
    if (!isStillAllowed(engine, loggedIn)) return noLongerAllowed;
    return channels.take() ?? tooManyChannels;
  };
  connection.on('session', (accept, reject) => {
    const taken = place();
    if ('sentence' in taken) refuseWith(connection, reject, taken);
    else {
      const session = accept();
      session.once('close', () => taken[Symbol.dispose]());
      serveSession(context, session);
    }
  });
  connection.on('tcpip', (accept, reject, info) => {
    const refuse = (why: Refusal) => refuseWith(connection, reject, why);
    const taken = isForwarded(info) ? place() : onlyOwnPorts;
    if ('sentence' in taken) refuse(taken);
    else void forwardPort(context, info, accept, refuse).finally(() => taken[Symbol.dispose]());
  });
  connection.on('openssh.streamlocal', (_accept, reject) => {
    refuseWith(connection, reject, onlyPorts);
  });
}
