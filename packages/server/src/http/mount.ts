import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Requests below a path that another protocol answers. It sees them as they came, with their own errors. */
export interface Mount {
  /** As `/agent-sandbox/router`: this path and all below it. */
  readonly path: string;
  /** `request.url` is what stands behind the path, percent-encoded as it came. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** A request for another protocol on its connection; likewise. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/** What stands behind the path of a mount, beginning with a slash; undefined when it is elsewhere. */
export function behind(path: string, url: string): string | undefined {
  if (!url.startsWith(path)) return undefined;
  const rest = url.slice(path.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : undefined;
}
