import type { Socket } from 'node:net';
import type { Engine } from '@sandport/engine';
import type { Logger } from 'pino';
import type { Connection } from 'ssh2';
import type { LoggedIn } from '../login/logged-in.ts';
import type { Budget } from '../sftp/handles/budget.ts';
import type { OpenChannels } from './open-channels.ts';

/** What all that happens on one connection needs. */
export interface ConnectionContext {
  readonly engine: Engine;
  readonly loggedIn: LoggedIn;
  readonly connection: Connection;
  readonly socket: Socket;
  readonly logger: Logger;
  readonly channels: OpenChannels;
  /** Files that it may have open by SFTP. */
  readonly openFiles: Budget;
  /** Channels of SFTP that it may have. */
  readonly sftpChannels: Budget;
}
