import { type Namespace, SandportFault } from '@sandport/protocol';

/** Who asks: a key, and the namespaces it may use. */
export interface Principal {
  readonly keyId: string;
  /** Undefined: all namespaces, and administration. */
  readonly namespaces?: ReadonlySet<Namespace> | undefined;
}

export const mayUse = (principal: Principal, namespace: Namespace): boolean =>
  principal.namespaces === undefined || principal.namespaces.has(namespace);

/** @throws SandportFault `forbidden` */
export function requireMayUse(principal: Principal, namespace: Namespace): void {
  if (mayUse(principal, namespace)) return;
  throw new SandportFault('forbidden', `This API key may not use the namespace "${namespace}".`, {
    namespace,
  });
}

export const isAdministrator = (principal: Principal): boolean =>
  principal.namespaces === undefined;

/** @throws SandportFault `forbidden` */
export function requireAdministrator(principal: Principal): void {
  if (!isAdministrator(principal))
    throw new SandportFault(
      'forbidden',
      'This API key is bound to namespaces; an administrator key is needed here.',
    );
}
