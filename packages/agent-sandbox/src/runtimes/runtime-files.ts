import type { SandboxFiles } from '@sandport/driver';
import { type Exchange, tellWhenWoken } from '@sandport/server';
import type { PathPlace } from './paths.ts';
import type { RuntimeEngine, RuntimeTarget } from './runtime.ts';

/**
 * The files of a sandbox for requests that only look.
 * @throws SandportFault `sandbox_not_found`, `invalid_state`
 */
export async function toLook(engine: RuntimeEngine, target: RuntimeTarget): Promise<PathPlace> {
  return place(await engine.files.reading(target.principal, target.sandbox.sandboxId), target);
}

/** The same for requests that take contents out: until they are answered the sandbox is used. */
export async function toRead(
  engine: RuntimeEngine,
  target: RuntimeTarget,
  exchange: Exchange,
): Promise<PathPlace> {
  const { principal, sandbox } = target;
  exchange.hold(engine.files.using(principal, sandbox.sandboxId, () => exchange.bytesSent));
  return toLook(engine, target);
}

/** The same for requests that change something. They wake a sandbox. */
export async function toWrite(
  engine: RuntimeEngine,
  target: RuntimeTarget,
  exchange: Exchange,
): Promise<PathPlace> {
  const { principal, sandbox } = target;
  exchange.hold(engine.files.using(principal, sandbox.sandboxId));
  const woken = tellWhenWoken(exchange);
  return place(await engine.files.writing(principal, sandbox.sandboxId, woken), target);
}

const place = (files: SandboxFiles, { sandbox }: RuntimeTarget): PathPlace => ({
  files,
  home: sandbox.home,
});
