import type { Principal } from '@sandport/engine';
import { namespaceSchema } from '@sandport/protocol';

/** What a user name of SSH says: which sandbox, and where to look for it. */
export interface SandboxAddress {
  /** Id or name. */
  readonly sandbox: string;
  /** Undefined: wherever the key may look. */
  readonly namespace?: string;
}

/**
 * Reads `NAME`, `ID`, `NAME.NAMESPACE`, each with or without `@` and anything behind it. Names of
 * sandboxes and namespaces hold no dots.
 */
export function parseUserName(userName: string): SandboxAddress {
  const [before = ''] = userName.split('@', 1);
  const dot = before.indexOf('.');
  if (dot < 0) return { sandbox: before };
  return { sandbox: before.slice(0, dot), namespace: before.slice(dot + 1) };
}

/** The same key, with nothing but the one namespace; undefined when it may not use that. */
export function narrowTo(
  principal: Principal,
  namespace: string | undefined,
): Principal | undefined {
  if (namespace === undefined) return principal;
  const parsed = namespaceSchema.safeParse(namespace);
  if (!parsed.success) return undefined;
  if (principal.namespaces !== undefined && !principal.namespaces.has(parsed.data))
    return undefined;
  return { keyId: principal.keyId, namespaces: new Set([parsed.data]) };
}
