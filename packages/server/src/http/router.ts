import { SandportFault } from '@sandport/protocol';
import { TrieRouter } from 'hono/router/trie-router';
import type { Exchange } from './exchange.ts';
import type { Upgrade } from './upgrade.ts';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS';

export interface Route {
  readonly method: Method;
  /** Pattern as `/v1/sandboxes/:id`. */
  readonly path: string;
  /** True: needs no API key. @default false */
  readonly open?: boolean;
  /** Path of the route that this one is a second name of; the API's description has only that. */
  readonly aliasOf?: string;
  handle(exchange: Exchange): Promise<void> | void;
  /**
   * Takes the connection over, for WebSocket. Until it has written to the connection it may throw,
   * which is answered as ever. Who has no key, or is a page of a foreign origin, does not get here
   * unless the route is `open`. @default plain requests only
   */
  upgrade?(upgrade: Upgrade): Promise<void>;
  /** True: `upgrade` takes any protocol but `h2c`. @default false */
  readonly anyProtocol?: boolean;
}

/** Finds the route of a request. */
export class Router {
  readonly #router = new TrieRouter<Route>();
  readonly #methods: readonly Method[];

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#router.add(route.method, route.path, route);
    this.#methods = [...new Set(routes.map(({ method }) => method))];
  }

  /** The route, with its parameters still percent-encoded; undefined when there is none. */
  find(method: string, path: string): { route: Route; params: Record<string, string> } | undefined {
    const match = this.#router.match(method, path)[0][0];
    if (match === undefined) return undefined;
    const [route, params] = match;
    // TrieRouter gives parameters by name; the index maps in the type are other routers' answers.
    return { route, params: params as Record<string, string> };
  }

  /** What to answer when {@link find} found nothing. */
  refuse(method: string, path: string): SandportFault {
    const known = this.#methods.filter((each) => this.find(each, path) !== undefined);
    return known.length === 0
      ? new SandportFault('route_not_found', `There is no ${method} ${path.slice(0, 200)}.`, {
          route: path.slice(0, 200),
        })
      : new SandportFault(
          'method_not_allowed',
          `${path.slice(0, 200)} does not take ${method}; it takes ${known.join(', ')}.`,
          { route: path.slice(0, 200), known },
        );
  }
}
