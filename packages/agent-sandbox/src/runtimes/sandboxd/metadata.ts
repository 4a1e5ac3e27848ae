import type { RuntimeEngine, RuntimeTarget } from '../runtime.ts';

/** What looks like a secret is not shown. */
const secret = /TOKEN|SECRET|KEY|PASS|CREDENTIAL|AUTH/i;

/** The variables of a sandbox's environment that begin with `SANDBOX_`. */
export async function metadataOf(
  engine: RuntimeEngine,
  { principal, sandbox }: RuntimeTarget,
  signal: AbortSignal,
): Promise<{ env: Record<string, string> }> {
  const { stdout } = await engine.commands.run(
    principal,
    sandbox.sandboxId,
    { args: ['env', '-0'], max_output_bytes: 1024 * 1024, timeout_seconds: 10 },
    { signal },
  );
  const env: Record<string, string> = {};
  for (const line of stdout.split('\0')) {
    const at = line.indexOf('=');
    const name = line.slice(0, Math.max(at, 0));
    if (name.startsWith('SANDBOX_') && !secret.test(name)) env[name] = line.slice(at + 1);
  }
  return { env };
}
