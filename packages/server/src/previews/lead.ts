import type { IncomingMessage } from 'node:http';
import type { Principal } from '@sandport/engine';
import type { Fields } from '../proxy/fields.ts';

/** A request that was let in, and where it leads. */
export interface Lead {
  readonly principal: Principal;
  /** Id or name. */
  readonly sandbox: string;
  readonly port: number;
  /** Target of the request there; credentials are still in it. */
  readonly target: string;
  /** What stands before the target at the client's side, where that is no secret. */
  readonly prefix?: string;
  /** False once what let the request in, a key or that the port is public, does not hold any more. */
  readonly holds: () => boolean;
  /** When the link that let it in ends: a connection that was upgraded ends then, too. */
  readonly expiresAt?: Date | undefined;
  readonly answerFields: (answer: IncomingMessage) => Fields;
}
