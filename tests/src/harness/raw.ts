import { connect, type Socket } from 'node:net';

/** A connection with nothing in between. Resolves when it is open. */
export function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once('connect', () => {
      socket.off('error', reject);
      // A reset is for the test to expect or not; it shows in what was received.
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * Sends bytes as they are and resolves to the first answer once the daemon has closed the
 * connection, or once the announced length of the answer is there.
 */
export async function rawExchange(
  url: string,
  bytes: string | Uint8Array,
  options: { readonly timeoutMs?: number } = {},
): Promise<RawAnswer> {
  const socket = await openSocket(url);
  try {
    return await new Promise((resolve, reject) => {
      let text = '';
      const timer = setTimeout(
        () => reject(new Error(`no whole answer, only ${JSON.stringify(text.slice(0, 200))}`)),
        options.timeoutMs ?? 10_000,
      );
      const settle = () => {
        clearTimeout(timer);
        const answer = parse(text);
        if (answer === undefined) reject(new Error(`not an answer: ${JSON.stringify(text)}`));
        else resolve(answer);
      };
      socket.setEncoding('latin1');
      socket.on('data', (part: string) => {
        text += part;
        const answer = parse(text);
        const length = Number(/^content-length: (\d+)/im.exec(answer?.head ?? '')?.[1] ?? Infinity);
        if (answer !== undefined && answer.body.length >= length) settle();
      });
      socket.once('close', settle);
      socket.write(bytes);
    });
  } finally {
    socket.destroy();
  }
}

function parse(text: string): RawAnswer | undefined {
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
  const end = text.indexOf('\r\n\r\n');
  if (status === undefined || end === -1) return undefined;
  return { status: Number(status), head: text.slice(0, end), body: text.slice(end + 4) };
}
