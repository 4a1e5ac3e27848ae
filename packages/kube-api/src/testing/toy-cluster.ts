import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { refuseUpgrade } from '../http/answers/refuse-upgrade.ts';
import { KubeError } from '../objects/kube-error.ts';
import type { ExecOutcome, ExecRequest, ExecStreams, PodStreams } from '../streams/pod-streams.ts';
import { serveExec } from '../streams/serve-exec.ts';
import { servePortForward } from '../streams/serve-port-forward.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'toy', namespace: 'default', uid: 'toy' },
  spec: { containers: [{ name: 'main', image: 'toy', ports: [] }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
};

const documents: Readonly<Record<string, unknown>> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [
      { name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get'] },
    ],
  },
  '/api/v1/namespaces/default/pods/toy': pod,
};

/** Runs commands on this machine, and connects to its ports: only for tests. */
class LocalPod implements PodStreams {
  /** Commands that run. */
  running = 0;

  async portForward() {
    return {
      connect: async (port: number) => {
        const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        await once(socket, 'connect');
        return socket;
      },
    };
  }

  async exec(request: ExecRequest, streams: ExecStreams): Promise<ExecOutcome> {
    const [program = '', ...args] = request.command;
    if (program === 'absent') throw new KubeError('BadRequest', 'there is no program "absent"');
    if (program === 'sizes') return printSizes(streams);
    const child = spawn(program, args, { stdio: 'pipe', signal: streams.signal });
    this.running += 1;
    child.once('close', () => (this.running -= 1));
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    if (streams.stdin === undefined) child.stdin.end();
    else pipeline(streams.stdin, child.stdin, () => {});
    for (const name of ['stdout', 'stderr'] as const)
      if (streams[name] === undefined) child[name].resume();
      else pipeline(child[name], streams[name], () => {});
    const [exitCode] = await once(child, 'close');
    return { exitCode: typeof exitCode === 'number' ? exitCode : 137 };
  }
}

/** Prints two sizes of the terminal. */
async function printSizes({ resizes, stdout }: ExecStreams): Promise<ExecOutcome> {
  let count = 0;
  for await (const { columns, rows } of resizes) {
    stdout?.write(`${columns}x${rows}\n`);
    if (++count === 2) break;
  }
  return { exitCode: 0 };
}

/** An API server with one pod, `toy`, which is this machine. */
export class ToyCluster implements AsyncDisposable {
  readonly pod = new LocalPod();
  /** Connections for streams that are open. */
  open = 0;
  /** What the last of them was upgraded to. */
  lastUpgrade: string | undefined;
  readonly #server: Server;
  readonly #dir = mkdtempSync(join(tmpdir(), 'toy-cluster-'));

  constructor() {
    this.#server = createServer((request, response) => answer(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
      const caller = { name: 'tester', groups: [] };
      const upgrade = {
        request,
        query: searchParams,
        socket,
        head,
        pods: this.pod,
        pod: { namespace: 'default', name: 'toy', caller },
      };
      this.open += 1;
      this.lastUpgrade = request.headers.upgrade?.toLowerCase();
      const serve = pathname.endsWith('/exec') ? serveExec : servePortForward;
      void serve(upgrade)
        .catch((error: KubeError) => refuseUpgrade(socket, error))
        .finally(() => (this.open -= 1));
    });
  }

  static async start(): Promise<ToyCluster> {
    const cluster = new ToyCluster();
    cluster.#server.listen(0, '127.0.0.1');
    await once(cluster.#server, 'listening');
    writeFileSync(cluster.kubeconfig, kubeconfig(cluster.url));
    return cluster;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get kubeconfig(): string {
    return join(this.#dir, 'kubeconfig');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.#dir, { recursive: true });
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '', 'http://localhost');
  const document = documents[pathname];
  const body = document ?? new KubeError('NotFound', `there is no ${pathname}`).toStatus();
  response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const kubeconfig = (url: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'toy', cluster: { server: url } }],
    users: [{ name: 'toy', user: {} }],
    contexts: [{ name: 'toy', context: { cluster: 'toy', user: 'toy' } }],
    'current-context': 'toy',
  });
