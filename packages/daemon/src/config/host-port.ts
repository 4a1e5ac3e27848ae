import { z } from 'zod';

/** Where to listen. */
export interface HostPort {
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
}

/** As `127.0.0.1:8420` or `[::1]:0`. */
export const hostPortSchema = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:[\]]+):\d{1,5}$/, 'must look like 127.0.0.1:8420')
  .transform((text): HostPort => {
    const colon = text.lastIndexOf(':');
    return {
      host: text.slice(0, colon).replace(/^\[|\]$/g, ''),
      port: Number(text.slice(colon + 1)),
    };
  })
  .refine(({ port }) => port <= 65_535, 'a port is at most 65535');

/** The same, or `off`: nowhere. */
export const hostPortOrOffSchema = z.union([z.literal('off'), hostPortSchema], {
  error: 'must look like 127.0.0.1:8420, or be off',
});

/** A host as it stands in an address. */
export const shownHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);
