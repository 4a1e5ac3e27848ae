/** One server-sent event; `event` is `message` when the stream names none. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** Largest event in characters that is put together; output comes in far smaller ones. */
const maxEventChars = 64 * 1024 * 1024;

/** Splits a stream of server-sent events. Comments and fields other than event and data are left out. */
export async function* parseEventStream(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let searchFrom = 0;
  let heldReturn = '';
  for await (const chunk of body) {
    let text = heldReturn + decoder.decode(chunk, { stream: true });
    // Half of a CRLF waits for the other half.
    heldReturn = text.endsWith('\r') ? '\r' : '';
    text = text.slice(0, text.length - heldReturn.length);
    rest += text.includes('\r') ? text.replaceAll('\r\n', '\n') : text;
    for (;;) {
      const end = rest.indexOf('\n\n', Math.max(0, searchFrom - 1));
      if (end === -1) break;
      const event = parseEvent(rest.slice(0, end));
      rest = rest.slice(end + 2);
      searchFrom = 0;
      if (event !== undefined) yield event;
    }
    searchFrom = rest.length;
    if (rest.length > maxEventChars) throw new RangeError('An event of the stream is too large.');
  }
}

function parseEvent(block: string): ServerSentEvent | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') };
}
