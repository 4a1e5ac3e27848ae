import type { Namespace } from '@sandport/protocol';

/** Who asks: a key, and the namespaces it may use. */
export interface Principal {
  readonly keyId: string;
  /** Undefined: all namespaces, and administration. */
  readonly namespaces?: ReadonlySet<Namespace> | undefined;
}

export const mayUse = (principal: Principal, namespace: Namespace): boolean =>
  principal.namespaces === undefined || principal.namespaces.has(namespace);

export const isAdministrator = (principal: Principal): boolean =>
  principal.namespaces === undefined;
