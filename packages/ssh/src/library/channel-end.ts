import type { ServerChannel } from 'ssh2';

/** What the types of the library leave out. */
interface ChannelInside {
  readonly incoming: { readonly state: string };
}

/**
 * Aborts when the channel has ended in both directions, for whatever reason. The library tells of
 * that only after all that came by the channel has been read; here it is told at once.
 */
export function whenClosed(channel: ServerChannel): AbortSignal {
  const closed = new AbortController();
  // The field is there: CHANNEL_CLOSE sets it before it ends the readable side with push(null).
  const inside = channel as ServerChannel & ChannelInside;
  const push = channel.push.bind(channel);
  channel.push = (chunk: unknown, encoding?: BufferEncoding) => {
    const more = push(chunk, encoding);
    if (chunk === null && inside.incoming.state === 'closed') closed.abort();
    return more;
  };
  channel.once('close', () => closed.abort());
  channel.on('error', () => closed.abort());
  return closed.signal;
}
