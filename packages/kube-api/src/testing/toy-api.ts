import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiServer } from '../http/api-server.ts';
import type { Caller } from '../http/caller.ts';
import { KubeError } from '../objects/kube-error.ts';
import type { Resource } from '../objects/resource.ts';
import { createObjectStore } from '../store/create-object-store.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { ObjectTable } from '../store/object-table.ts';
import type { PodStreams } from '../streams/pod-streams.ts';
import { MemoryTable } from './memory-table.ts';
import { toyResources } from './toy-resources.ts';

export interface ToyApiOptions {
  readonly resources?: readonly Resource[];
  readonly table?: ObjectTable;
  readonly historySize?: number;
  /** Callers by their tokens. Who sends no token may do everything. */
  readonly callers?: Readonly<Record<string, Caller>>;
}

const admin: Caller = { name: 'admin', groups: ['system:masters'] };

const noPods: PodStreams = {
  portForward: () => Promise.reject(new KubeError('NotFound', 'there are no pods')),
  exec: () => Promise.reject(new KubeError('NotFound', 'there are no pods')),
};

/** An API server on this machine, for tests. */
export class ToyApi implements AsyncDisposable {
  readonly store: ObjectStore;
  readonly api: ApiServer;
  readonly server: Server;
  /** What the API server had to say about faults of its own. */
  readonly faults: Record<string, unknown>[] = [];
  url = '';

  constructor({ resources = toyResources, table = new MemoryTable(), ...options }: ToyApiOptions) {
    this.store = createObjectStore({ resources, table, historySize: options.historySize });
    this.api = new ApiServer({
      store: this.store,
      resources,
      pods: noPods,
      authenticate: ({ headers: { authorization } }) => {
        if (authorization === undefined) return admin;
        return options.callers?.[authorization.replace('Bearer ', '')];
      },
      sharedNamespace: 'shared',
      release: '0.0.0',
      log: (message, fields) => this.faults.push({ message, ...fields }),
    });
    this.server = createServer((request, response) => void this.api.handle(request, response));
    this.server.on('upgrade', (request, socket, head) => {
      void this.api.handleUpgrade(request, socket, head);
    });
  }

  static async start(options: ToyApiOptions = {}): Promise<ToyApi> {
    const toy = new ToyApi(options);
    toy.server.listen(0, '127.0.0.1');
    await once(toy.server, 'listening');
    // An address of a server that listens on a port.
    const { port } = toy.server.address() as AddressInfo;
    toy.url = `http://127.0.0.1:${port}`;
    return toy;
  }

  /** A request with a JSON body; the answer's JSON. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; body: ToyBody; headers: Headers }> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    // Tests look into answers of many shapes.
    const json = text.startsWith('{') ? (JSON.parse(text) as ToyBody) : {};
    return { status: response.status, body: json, headers: response.headers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.api.close();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** JSON of an answer: an object, a list or a `Status`. */
export interface ToyBody {
  readonly kind?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly metadata?: Readonly<Record<string, never>> & {
    readonly name?: string;
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items?: readonly {
    readonly metadata: { readonly name: string; readonly namespace?: string };
  }[];
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: unknown;
  readonly [field: string]: unknown;
}
