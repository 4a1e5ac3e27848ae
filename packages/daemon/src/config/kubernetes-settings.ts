import { isServerName } from '@sandport/agent-sandbox/server-names';
import { z } from 'zod';
import { type HostPort, hostPortOrOffSchema } from './host-port.ts';

/** How clients of Kubernetes are served. */
export interface KubernetesSettings extends HostPort {
  /** True: somebody asked for just this address, so that a start without it makes no sense. */
  readonly asked: boolean;
  /** More names of this machine. */
  readonly names: readonly string[];
  /** Undefined: sandboxes get no addresses. */
  readonly podNetwork: PodNetworkSettings | undefined;
}

export interface PodNetworkSettings {
  /** As `127.66.0.0/16`. */
  readonly range: string | 'auto';
  /** Users who may connect, beside root and who called sudo. */
  readonly users: readonly string[];
}

/** Settings as they come, by their keys. */
export const kubernetesValues = {
  kubernetes_listen: hostPortOrOffSchema.optional(),
  kubernetes_san: z
    .array(z.string().refine(isServerName, 'must be a host name or an address'))
    .default([]),
  pod_network: z
    .union(
      [z.enum(['auto', 'off']), z.string().regex(/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}\/\d{1,2}$/)],
      'must be auto, off, or a range as 127.66.0.0/16',
    )
    .default('auto'),
  pod_network_users: z.array(z.string().min(1)).default([]),
};

/** Undefined: off. */
export function kubernetesSettings(
  data: z.infer<z.ZodObject<typeof kubernetesValues>>,
  listen: HostPort,
): KubernetesSettings | undefined {
  const { kubernetes_listen: given, pod_network: network } = data;
  if (given === 'off') return undefined;
  const { host, port } = given ?? nextTo(listen);
  return {
    host,
    port,
    asked: given !== undefined,
    names: data.kubernetes_san,
    podNetwork: network === 'off' ? undefined : { range: network, users: data.pod_network_users },
  };
}

/** The next port; any free one where the API has any free one. */
const nextTo = ({ host, port }: HostPort): HostPort => ({
  host,
  port: port === 0 || port === 65_535 ? 0 : port + 1,
});
