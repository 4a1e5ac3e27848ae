import { type Ipv4Network, parseIpv4, parseNetwork } from '@sandport/protocol';
import { z } from 'zod';
import type { HostPort } from './host-port.ts';

/** Networks of sandboxes. */
export interface NetworkSettings {
  readonly mode: 'auto' | 'on' | 'off';
  readonly range: Ipv4Network;
  /** Undefined: those of the machine. */
  readonly resolvers?: readonly { readonly address: string; readonly port: number }[] | undefined;
}

/** Longest prefix of a range: one gateway and some sandboxes. */
const longestPrefix = 28;

const rangeSchema = z.string().transform((text, context): Ipv4Network => {
  const network = parseNetwork(text);
  if (network !== undefined && network.prefix >= 8 && network.prefix <= longestPrefix)
    return network;
  const message = `must be an IPv4 network from /8 to /${longestPrefix}, as 198.18.0.0/15`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const resolverSchema = z.string().transform((text, context): HostPort => {
  const [host = '', port, rest] = text.split(':');
  const isPort = port === undefined || (/^\d{1,5}$/.test(port) && Number(port) <= 65_535);
  if (parseIpv4(host) !== undefined && isPort && rest === undefined)
    return { host, port: port === undefined ? 53 : Number(port) };
  context.addIssue({
    code: 'custom',
    message: 'must be an IPv4 address, as 9.9.9.9 or 9.9.9.9:53',
  });
  return z.NEVER;
});

/** Settings as they are written. */
export const networkValues = {
  network: z.enum(['auto', 'on', 'off']).default('auto'),
  network_range: rangeSchema.default({ base: 0xc6120000, prefix: 15 }),
  network_dns: z.array(resolverSchema).max(3, 'can be given three times').default([]),
};

export const networkSettings = (
  data: z.infer<z.ZodObject<typeof networkValues>>,
): NetworkSettings => ({
  mode: data.network,
  range: data.network_range,
  resolvers:
    data.network_dns.length === 0
      ? undefined
      : data.network_dns.map(({ host, port }) => ({ address: host, port })),
});
