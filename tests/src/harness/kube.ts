import { Agent, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { TestDaemon } from './daemon.ts';

const listenerSchema = z.object({ server: z.url(), certificate_authority: z.string() });

const conditionSchema = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string(),
  message: z.string(),
});

/** What the tests look at in any object. */
export const kubeObjectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string(),
    resourceVersion: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.record(z.string(), z.unknown()).optional(),
  status: z
    .looseObject({
      conditions: z.array(conditionSchema).optional(),
      sandbox: z
        .looseObject({ name: z.string(), podIPs: z.array(z.string()).optional() })
        .optional(),
      podIPs: z.array(z.string()).optional(),
    })
    .optional(),
});
export type KubeObject = z.infer<typeof kubeObjectSchema>;

export interface KubeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Readonly<Record<string, unknown>> & {
    readonly metadata: { readonly name?: string; readonly resourceVersion: string };
  };
}

/** Raw requests to the Kubernetes listener of a daemon. */
export class Kube implements Disposable {
  readonly server: string;
  readonly ca: string;
  readonly #token: string;
  readonly #agent: TlsAgent;

  constructor(server: string, ca: string, token: string) {
    this.server = server;
    this.ca = ca;
    this.#token = token;
    this.#agent = new TlsAgent({ keepAlive: true, ca });
  }

  /** With the local administrator key, or another one. */
  static async of(daemon: TestDaemon, token = daemon.apiKey): Promise<Kube> {
    const answer = await daemon.api.send('GET', '/v1/kubernetes');
    const found = listenerSchema.parse(JSON.parse(answer.body.toString()));
    return new Kube(found.server, found.certificate_authority, token);
  }

  /** The same listener, for another key. */
  withToken(token: string): Kube {
    return new Kube(this.server, this.ca, token);
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<KubeAnswer> {
    const answer = await this.#open(method, path, body, headers, this.#agent);
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
    const isJson = answer.headers['content-type']?.includes('json') === true;
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      body: isJson ? (JSON.parse(text) as unknown) : text,
    };
  }

  /** The object of an answer with this status. */
  async object(
    status: number,
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<KubeObject> {
    const answer = await this.send(method, path, body, headers);
    if (answer.status !== status)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return kubeObjectSchema.parse(answer.body);
  }

  /** Events of a watch until `signal` aborts or the server ends it. */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const agent = new TlsAgent({ ca: this.ca });
    const mark = path.includes('?') ? '&' : '?';
    let answer: IncomingMessage | undefined;
    try {
      answer = await this.#open('GET', `${path}${mark}watch=1`, undefined, {}, agent, signal);
      if (answer.statusCode !== 200) {
        let text = '';
        for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
        throw new Error(`watch ${path}: ${answer.statusCode} ${text}`);
      }
      for await (const line of createInterface({ input: answer }))
        yield JSON.parse(line) as WatchEvent;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      answer?.destroy();
      agent.destroy();
    }
  }

  /** The first object of a watch for which `wanted` holds. */
  async until(
    path: string,
    wanted: (object: KubeObject, type: string) => boolean,
    timeoutMs = 30_000,
  ): Promise<KubeObject> {
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(), timeoutMs);
    const seen: string[] = [];
    try {
      for await (const { type, object } of this.watch(path, end.signal)) {
        const parsed = kubeObjectSchema.safeParse(object);
        if (parsed.success && wanted(parsed.data, type)) return parsed.data;
        seen.push(`${type} ${JSON.stringify(parsed.data?.status ?? object)}`);
      }
    } finally {
      clearTimeout(timer);
      end.abort();
    }
    throw new Error(`not seen on ${path} within ${timeoutMs} ms:\n${seen.slice(-5).join('\n')}`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #open(
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
    agent: Agent,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(`${this.server}${path}`, {
        method,
        agent,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      });
      sent.once('error', reject);
      sent.once('response', resolve);
      sent.end(text);
    });
  }
}

export const extensions = (version: string, namespace = 'default'): string =>
  `/apis/extensions.agents.x-k8s.io/${version}/namespaces/${namespace}`;
export const agents = (version: string, namespace = 'default'): string =>
  `/apis/agents.x-k8s.io/${version}/namespaces/${namespace}`;

/** The condition of this type. */
export const conditionOf = (object: KubeObject, type = 'Ready') =>
  object.status?.conditions?.find((condition) => condition.type === type);

/** A claim on a warm pool, or on a template's. */
export const claimBody = (
  name: string,
  pool: string,
  spec: Readonly<Record<string, unknown>> = {},
) => ({
  apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
  kind: 'SandboxClaim',
  metadata: { name },
  spec: { warmPoolRef: { name: pool }, ...spec },
});

/** Makes a claim and waits as clients do: a watch from the revision of its creation. */
export async function claimReady(
  kube: Kube,
  name: string,
  pool = 'base',
  spec: Readonly<Record<string, unknown>> = {},
  namespace = 'default',
): Promise<KubeObject> {
  const claims = `${extensions('v1beta1', namespace)}/sandboxclaims`;
  const { metadata } = await kube.object(201, 'POST', claims, claimBody(name, pool, spec));
  return kube.until(
    `${claims}?fieldSelector=metadata.name%3D${name}&resourceVersion=${metadata.resourceVersion}`,
    (object) => conditionOf(object)?.status === 'True' && object.status?.sandbox !== undefined,
  );
}

/** Deletes what the dialect keeps sandboxes for, so that it makes no more. */
export async function deleteKubernetesObjects(daemon: TestDaemon): Promise<void> {
  if ((await daemon.api.send('GET', '/v1/kubernetes')).status === 404) return;
  using kube = await Kube.of(daemon);
  const extensions = '/apis/extensions.agents.x-k8s.io/v1beta1';
  for (const [group, resource] of [
    [extensions, 'sandboxwarmpools'],
    [extensions, 'sandboxclaims'],
    ['/apis/agents.x-k8s.io/v1beta1', 'sandboxes'],
  ] as const) {
    const listed = await kube.send('GET', `${group}/${resource}`);
    const { items } = z.object({ items: z.array(itemSchema) }).parse(listed.body);
    for (const { metadata } of items)
      await kube.send(
        'DELETE',
        `${group}/namespaces/${metadata.namespace}/${resource}/${metadata.name}`,
      );
  }
}

const itemSchema = z.object({ metadata: z.object({ name: z.string(), namespace: z.string() }) });
