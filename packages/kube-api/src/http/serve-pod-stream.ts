import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { KubeError } from '../objects/kube-error.ts';
import { resourceKey } from '../objects/resource.ts';
import { notFound } from '../store/store-errors.ts';
import { serveExec } from '../streams/serve-exec.ts';
import { servePortForward } from '../streams/serve-port-forward.ts';
import type { PodStreams } from '../streams/pod-streams.ts';
import { forbidden, grantOf } from './access/authorize.ts';
import { visibleObject } from './access/visible-objects.ts';
import type { Caller } from './caller.ts';
import type { ApiContext } from './requests/exchange.ts';
import type { ResourceTarget } from './requests/resource-index.ts';

const streams: ReadonlyMap<string, typeof serveExec> = new Map([
  ['exec', serveExec],
  ['portforward', servePortForward],
]);

/** Whether the target is streamed to, over an upgraded connection. */
export const isPodStream = ({ resource, name, subresource }: ResourceTarget): boolean =>
  resourceKey(resource) === 'pods' && name !== undefined && streams.has(subresource ?? '');

/**
 * That the caller may stream to the pod, and that there is one.
 * @throws KubeError `Forbidden`, `NotFound`
 */
export function checkPodStream(
  context: Pick<ApiContext, 'store' | 'sharedNamespace'>,
  caller: Caller,
  target: ResourceTarget,
): void {
  const attempt = { ...target, verb: 'create' };
  const grant = grantOf(caller, attempt, context.sharedNamespace);
  if (grant === undefined) throw forbidden(caller, attempt);
  if (visibleObject(context, { caller }, target, grant) === undefined) {
    throw notFound(target.resource, target.name ?? '');
  }
}

export const upgradeRequired = (): KubeError =>
  new KubeError('BadRequest', 'Upgrade request required');

export interface PodStreamRequest {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly pods: PodStreams;
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/**
 * Streams until the socket is done with.
 * @throws KubeError when nothing has been answered
 */
export async function servePodStream(
  { caller, ...upgrade }: PodStreamRequest,
  { namespace = '', name = '', subresource = '' }: ResourceTarget,
): Promise<void> {
  await streams.get(subresource)?.({ ...upgrade, pod: { namespace, name, caller } });
}
