import type { PeerStream } from '../peer/peer-stream.ts';

/** What a connection for exec has agreed on: the client's streams, whatever carries them. */
export interface ExecWire {
  readonly stdin: PeerStream | undefined;
  readonly stdout: PeerStream | undefined;
  readonly stderr: PeerStream | undefined;
  readonly resize: PeerStream | undefined;
  /** Takes how it ended. */
  readonly error: PeerStream;
  readonly signal: AbortSignal;
}
