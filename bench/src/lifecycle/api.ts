import { Agent, request } from 'node:http';
import type { Subject } from '../subject.ts';

/** The API over connections that stay open: what is measured is the daemon, not an SDK. */
export class Api implements Disposable {
  readonly #subject: Pick<Subject, 'url' | 'apiKey'>;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(subject: Pick<Subject, 'url' | 'apiKey'>) {
    this.#subject = subject;
  }

  /** Rejects when the answer is no success. */
  async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const { status, answer } = await new Promise<{ status: number; answer: string }>(
      (resolve, reject) => {
        const sent = request(`${this.#subject.url}${path}`, {
          method,
          agent: this.#agent,
          headers: {
            'x-api-key': this.#subject.apiKey,
            ...(text === undefined ? {} : { 'content-type': 'application/json' }),
          },
        });
        sent.once('error', reject);
        sent.once('response', (response) => {
          let received = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
          response.once('error', reject);
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, answer: received }),
          );
        });
        sent.end(text);
      },
    );
    if (status < 200 || status >= 300)
      throw new Error(`${method} ${path} answered ${status}: ${answer}`);
    return (answer === '' ? undefined : JSON.parse(answer)) as Answer;
  }

  create(fields: Record<string, unknown>): Promise<{ id: string; boot_mode: string }> {
    return this.call('POST', '/v1/sandboxes', fields);
  }

  async run(id: string, cmd: string): Promise<void> {
    const path = `/v1/sandboxes/${id}/exec`;
    const result = await this.call<{ exit_code: number; stderr: string }>('POST', path, { cmd });
    if (result.exit_code !== 0) throw new Error(`${cmd}: ${result.stderr}`);
  }

  async remove(id: string): Promise<void> {
    await this.call('DELETE', `/v1/sandboxes/${id}`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
