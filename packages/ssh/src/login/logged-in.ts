import type { Engine, Principal } from '@sandport/engine';
import type { SandboxId } from '@sandport/protocol';

/** Who is at the other end of a connection, and which sandbox it is for. */
export interface LoggedIn {
  readonly principal: Principal;
  readonly sandbox: SandboxId;
}

/** Whether the key is still valid and still reaches the sandbox. */
export function isStillAllowed(engine: Engine, { principal, sandbox }: LoggedIn): boolean {
  if (engine.keys.principal(principal.keyId) === undefined) return false;
  try {
    engine.sandboxes.find(principal, sandbox);
    return true;
  } catch {
    return false;
  }
}
