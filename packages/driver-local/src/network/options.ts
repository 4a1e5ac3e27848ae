import type { Ipv4Network } from '@sandport/protocol';

export interface AddressAndPort {
  readonly address: string;
  readonly port: number;
}

export interface NetworkOptions {
  /**
   * `off`: sandboxes get no networks; `auto`: they do, where this machine can; `on`: the driver does
   * not start where it cannot. @default 'auto'
   */
  readonly mode?: 'off' | 'auto' | 'on' | undefined;
  /** Addresses of sandboxes of all drivers on this machine. @default 198.18.0.0/15 */
  readonly range?: Ipv4Network | undefined;
  /** Resolvers that names are asked of. @default those of the machine's resolv.conf */
  readonly resolvers?: readonly AddressAndPort[] | undefined;
}
