import type { Egress } from '@sandport/protocol';

/** What a sandbox may reach. Without one: what its template says, else its namespace, else nothing. */
export interface SandboxNetwork {
  /** `allowlist`: what `allow` names; `all`: the public internet, and addresses of `allow`. */
  egress: Egress;
  /**
   * Names (`example.com`, `*.example.com`), IPv4 addresses and networks (`10.1.2.0/24`), each also
   * with a port (`example.com:443`), or a port of all public addresses (`*:443`). Private networks need a key for all namespaces.
   */
  allow?: readonly string[] | undefined;
  /** Most megabits a second, in each direction. @default no limit */
  bandwidthMbps?: number | undefined;
}

/** The API's body for it. */
export const networkBody = ({ egress, allow, bandwidthMbps }: SandboxNetwork) => ({
  egress,
  allow,
  bandwidth_mbps: bandwidthMbps,
});
