import type { ServerChannel } from 'ssh2';

/** Nothing more is sent, and what still comes is thrown away. */
export function end(channel: ServerChannel): void {
  channel.end();
  channel.resume();
}
