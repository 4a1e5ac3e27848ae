import type { Engine, Principal } from '@sandport/engine';
import type { SandboxId } from '@sandport/protocol';

/** Who is at the other end of a connection, and which sandbox it is for. */
export interface LoggedIn {
  readonly principal: Principal;
  readonly sandbox: SandboxId;
  /** The registered key that it was done with, in SSH's own form; without one it was an API key. */
  readonly publicKey?: Buffer;
}

/** Whether its keys are still valid and still reach the sandbox. */
export function isStillAllowed(
  engine: Engine,
  { principal, sandbox, publicKey }: LoggedIn,
): boolean {
  const { keyId } = principal;
  if (engine.keys.principal(keyId) === undefined) return false;
  const owners = publicKey === undefined ? [principal] : engine.sshKeys.principalsOf(publicKey);
  if (!owners.some((owner) => owner.keyId === keyId)) return false;
  try {
    engine.sandboxes.find(principal, sandbox);
    return true;
  } catch {
    return false;
  }
}
