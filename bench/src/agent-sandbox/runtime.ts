import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { Readable } from 'node:stream';

const boundary = 'bench-boundary';

/** The runtime API of sandboxes behind a router. */
export class Runtime implements Disposable {
  readonly #url: string;
  readonly #headers: OutgoingHttpHeaders;
  readonly #agent = new Agent({ keepAlive: true });

  /** @param url of the router @param headers sent with every request */
  constructor(url: string, headers: OutgoingHttpHeaders) {
    this.#url = url.replace(/\/$/, '');
    this.#headers = headers;
  }

  async run(sandbox: string, command: string): Promise<void> {
    const answer = await this.#send(
      'POST',
      '/execute',
      sandbox,
      { 'content-type': 'application/json' },
      [Buffer.from(JSON.stringify({ command }))],
    );
    const { exit_code: exitCode } = JSON.parse(answer.text) as { exit_code: number };
    if (exitCode !== 0) throw new Error(`${command} ended with ${exitCode}`);
  }

  /** Writes a file in one multipart part, as the clients do. */
  async write(sandbox: string, path: string, chunks: readonly Buffer[]): Promise<void> {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${path}"\r\n\r\n`;
    await this.#send(
      'POST',
      '/upload',
      sandbox,
      { 'content-type': `multipart/form-data; boundary=${boundary}` },
      [Buffer.from(head), ...chunks, Buffer.from(`\r\n--${boundary}--\r\n`)],
    );
  }

  /** The number of bytes. */
  async read(sandbox: string, path: string): Promise<number> {
    const { bytes } = await this.#send(
      'GET',
      `/download/${encodeURIComponent(path)}`,
      sandbox,
      {},
      [],
    );
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #send(
    method: string,
    path: string,
    sandbox: string,
    headers: OutgoingHttpHeaders,
    body: readonly Buffer[],
  ): Promise<{ text: string; bytes: number }> {
    const length = body.reduce((sum, chunk) => sum + chunk.length, 0);
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#url}${path}`, {
        method,
        agent: this.#agent,
        headers: {
          ...this.#headers,
          ...headers,
          'x-sandbox-id': sandbox,
          'x-sandbox-namespace': 'default',
          'x-sandbox-port': '8888',
          ...(length === 0 ? {} : { 'content-length': length }),
        },
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        let bytes = 0;
        let text = '';
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (text.length < 4096) text += chunk.toString('latin1');
        });
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode === 200) resolve({ text, bytes });
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      Readable.from(body).pipe(sent);
    });
  }
}
