import type { Agent, IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request } from 'node:https';
import { createInterface } from 'node:readline';
import type { Subject } from '../subject.ts';
import { Api } from '../lifecycle/api.ts';

/** As much of a Kubernetes object as is looked at here. */
export interface KubeObject {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly status?: {
    readonly sandbox?: { readonly name: string };
    readonly readyReplicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
}

const group = '/apis/extensions.agents.x-k8s.io/v1beta1/namespaces/default';

/** Longest that a claim may take to be ready, in seconds. */
const patienceSeconds = 120;

/** Speaks to the Kubernetes listener as clients do: keep-alive calls, and a connection per watch. */
export class KubeClient implements Disposable {
  readonly #server: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #calls: TlsAgent;
  readonly #watches: TlsAgent;

  private constructor(server: string, ca: string, apiKey: string) {
    this.#server = server;
    this.#headers = { authorization: `Bearer ${apiKey}` };
    this.#calls = new TlsAgent({ keepAlive: true, ca });
    this.#watches = new TlsAgent({ keepAlive: false, ca });
  }

  /** Asks the daemon where its Kubernetes listener is. */
  static async open(subject: Pick<Subject, 'url' | 'apiKey'>): Promise<KubeClient> {
    using api = new Api(subject);
    const { server, certificate_authority: ca } = await api.call<{
      server: string;
      certificate_authority: string;
    }>('GET', '/v1/kubernetes');
    return new KubeClient(server, ca, subject.apiKey);
  }

  create(plural: string, object: Record<string, unknown>): Promise<KubeObject> {
    return this.#call('POST', `${group}/${plural}`, object);
  }

  get(plural: string, name: string): Promise<KubeObject> {
    return this.#call('GET', `${group}/${plural}/${name}`);
  }

  async remove(plural: string, name: string): Promise<void> {
    await this.#call('DELETE', `${group}/${plural}/${name}`);
  }

  /** Watches a claim from the revision that its creation answered; the name of its sandbox. */
  async ready({ metadata }: KubeObject): Promise<string> {
    const query = new URLSearchParams({
      watch: 'True',
      fieldSelector: `metadata.name=${metadata.name}`,
      resourceVersion: metadata.resourceVersion,
      timeoutSeconds: String(patienceSeconds),
    });
    const answer = await this.#open('GET', `${group}/sandboxclaims?${query}`, this.#watches);
    try {
      for await (const line of createInterface({ input: answer })) {
        const { object } = JSON.parse(line) as { object: KubeObject };
        const ready = object.status?.conditions?.find(({ type }) => type === 'Ready');
        const sandbox = object.status?.sandbox?.name;
        if (ready?.status === 'True' && sandbox !== undefined) return sandbox;
        if (ready !== undefined && /NotFound|Error|Rejected/.test(ready.reason))
          throw new Error(`${metadata.name}: ${ready.reason}: ${ready.message}`);
      }
    } finally {
      answer.destroy();
    }
    throw new Error(`${metadata.name} was not ready within ${patienceSeconds} s`);
  }

  [Symbol.dispose](): void {
    this.#calls.destroy();
    this.#watches.destroy();
  }

  async #call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.#open(method, path, this.#calls, body);
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += chunk;
    const status = answer.statusCode ?? 0;
    if (status < 200 || status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text) as Answer;
  }

  #open(method: string, path: string, agent: Agent, body?: unknown): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#server}${path}`, {
        method,
        agent,
        headers: {
          ...this.#headers,
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      });
      sent.once('error', reject);
      sent.once('response', resolve);
      sent.end(text);
    });
  }
}
