import type { Engine, Principal } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import ssh2, { type AuthContext, type PublicKeyAuthContext } from 'ssh2';
import type { LoggedIn } from './logged-in.ts';
import { narrowTo, parseUserName } from './user-name.ts';

/**
 * What an attempt to log in comes to. `known` is the answer to a client that only asks whether it
 * should sign with this key; `unknown` the same for one that it should not.
 */
export type Attempt = { readonly loggedIn: LoggedIn } | 'known' | 'unknown' | 'refused' | 'none';

/**
 * Looks at one attempt. An unknown sandbox and one that the key may not use are the same as a wrong
 * key.
 */
export function attempt(engine: Engine, context: AuthContext): Attempt {
  const find = (principals: readonly Principal[]) => findSandbox(engine, context, principals);
  if (context.method === 'password') {
    const principal = engine.keys.authenticate(context.password);
    const loggedIn = principal && find([principal]);
    return loggedIn === undefined ? 'refused' : { loggedIn };
  }
  if (context.method === 'publickey') {
    const isQuestion = context.signature === undefined;
    const loggedIn = find(engine.sshKeys.principalsOf(context.key.data));
    if (isQuestion) return loggedIn === undefined ? 'unknown' : 'known';
    return loggedIn !== undefined && isSigned(context)
      ? { loggedIn: { ...loggedIn, publicKey: context.key.data } }
      : 'refused';
  }
  return context.method === 'none' ? 'none' : 'refused';
}

/** The sandbox that the user name names, with the first of the keys that may use it. */
function findSandbox(
  engine: Engine,
  { username }: AuthContext,
  principals: readonly Principal[],
): LoggedIn | undefined {
  const { sandbox, namespace } = parseUserName(username);
  for (const each of principals) {
    const principal = narrowTo(each, namespace);
    if (principal === undefined) continue;
    try {
      const { row } = engine.sandboxes.find(principal, sandbox);
      return { principal, sandbox: row.id };
    } catch (error) {
      if (!(error instanceof SandportFault)) throw error;
    }
  }
  return undefined;
}

function isSigned({ key, blob, signature, hashAlgo }: PublicKeyAuthContext): boolean {
  if (blob === undefined || signature === undefined) return false;
  const parsed = ssh2.utils.parseKey(key.data);
  if (parsed instanceof Error || Array.isArray(parsed)) return false;
  return parsed.verify(blob, signature, hashAlgo) === true;
}
