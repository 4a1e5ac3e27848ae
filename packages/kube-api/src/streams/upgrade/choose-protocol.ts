import type { IncomingMessage } from 'node:http';
import { KubeError } from '../../objects/kube-error.ts';

export interface StreamProtocol {
  readonly carrier: 'spdy' | 'websocket';
  /** As `v4.channel.k8s.io`. */
  readonly name: string;
}

/** What can be spoken, by carrier; the client's order decides. */
export type KnownProtocols = Readonly<Record<StreamProtocol['carrier'], readonly string[]>>;

/** No protocol that the client offers is known. */
export class ProtocolMismatch extends KubeError {
  readonly known: readonly string[];

  constructor(offered: readonly string[], known: readonly string[]) {
    super(
      'Forbidden',
      `unable to upgrade: the client offers ${offered.length === 0 ? 'no protocol' : offered.join(', ')}; spoken are ${known.join(', ')}`,
    );
    this.known = known;
  }
}

/**
 * Chooses what to speak on an upgraded connection.
 * @throws ProtocolMismatch; KubeError `BadRequest` for an upgrade to something else
 */
export function chooseProtocol(request: IncomingMessage, known: KnownProtocols): StreamProtocol {
  const upgrade = request.headers.upgrade?.toLowerCase();
  const carrier = upgrade === 'websocket' ? upgrade : upgrade === 'spdy/3.1' ? 'spdy' : undefined;
  if (carrier === undefined)
    throw new KubeError(
      'BadRequest',
      'unable to upgrade: neither SPDY/3.1 nor WebSocket is asked for',
    );
  const header = carrier === 'spdy' ? 'x-stream-protocol-version' : 'sec-websocket-protocol';
  const offered = [request.headers[header] ?? []]
    .flat()
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const name = offered.find((candidate) => known[carrier].includes(candidate));
  if (name === undefined) throw new ProtocolMismatch(offered, known[carrier]);
  return { carrier, name };
}
