/** A rule of a NetworkPolicy for what leaves a pod. */
export interface EgressRule {
  /** None: anywhere. */
  readonly to?: readonly PolicyPeer[];
  /** None: any port. */
  readonly ports?: readonly PolicyPort[];
}

export interface PolicyPeer {
  readonly ipBlock?: { readonly cidr?: string; readonly except?: readonly string[] };
  readonly podSelector?: unknown;
  readonly namespaceSelector?: unknown;
}

export interface PolicyPort {
  readonly port?: number | string;
  readonly endPort?: number;
  /** @default 'TCP' */
  readonly protocol?: string;
}

/** The part of a NetworkPolicy that a SandboxTemplate has. */
export interface TemplateNetworkPolicy {
  readonly egress?: readonly EgressRule[];
  readonly ingress?: readonly unknown[];
}
