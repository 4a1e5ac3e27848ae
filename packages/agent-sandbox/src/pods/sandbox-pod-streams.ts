import { finished, pipeline } from 'node:stream/promises';
import type { OpenCommand, Principal } from '@sandport/engine';
import {
  type Caller,
  type ExecOutcome,
  type ExecRequest,
  type ExecStreams,
  KubeError,
  type PodRequest,
  type PodStreams,
  type PortForwardTarget,
} from '@sandport/kube-api';
import { SandportFault } from '@sandport/protocol';
import type { AgentSandboxCaller } from '../caller.ts';
import { PairEnd } from '../connections/duplex-pair.ts';
import type { RouterPort } from '../router/router-port.ts';
import type { RuntimeEngine } from '../runtimes/runtime.ts';
import type { LocatedSandbox, SandboxDirectory } from '../sandboxes/sandbox-directory.ts';
import type { RuntimePorts } from './runtime-ports.ts';

/** The pod behind the router's service; every namespace has it. */
const routerPod = 'sandbox-router';
/** At which the router's pod listens. */
const routerPort = 8080;

export interface SandboxPodStreamsOptions {
  readonly engine: RuntimeEngine;
  readonly directory: () => SandboxDirectory;
  readonly runtimes: RuntimePorts;
  readonly router: RouterPort;
}

/**
 * Streams of pods: a tunnel to the router's pod leads to the router as the caller that made it, one
 * to a sandbox's pod to the runtimes of the daemon at their ports, else to the sandbox's own
 * programs. Commands run as those of any other API.
 */
export class SandboxPodStreams implements PodStreams {
  readonly #options: SandboxPodStreamsOptions;

  constructor(options: SandboxPodStreamsOptions) {
    this.#options = options;
  }

  async portForward(pod: PodRequest): Promise<PortForwardTarget> {
    const principal = principalOf(pod.caller);
    if (pod.name === routerPod)
      return { connect: async (port) => this.#connectRouter(principal, port) };
    const sandbox = this.#find(principal, pod);
    return { connect: (port) => this.#connect(principal, sandbox, port) };
  }

  async exec(request: ExecRequest, streams: ExecStreams): Promise<ExecOutcome> {
    const principal = principalOf(request.caller);
    if (request.name === routerPod)
      throw new KubeError('BadRequest', 'The router is no sandbox: it runs no commands.');
    const sandbox = this.#find(principal, request);
    const command = await this.#open(principal, sandbox, request, streams);
    void resizeWith(streams, command);
    return { exitCode: await carry(command, streams) };
  }

  async #connectRouter(principal: Principal, port: number) {
    if (port !== routerPort)
      throw new Error(`The router listens on port ${routerPort}, not on ${port}.`);
    const [inner, outer] = PairEnd.pair();
    this.#options.router.accept(inner, principal);
    return outer;
  }

  async #connect(principal: Principal, sandbox: LocatedSandbox, port: number) {
    const { runtimes, engine } = this.#options;
    const [inner, outer] = PairEnd.pair();
    if (runtimes.accept(port, inner, { sandbox, principal })) return outer;
    return engine.commands.connect(principal, sandbox.sandboxId, port);
  }

  async #open(
    principal: Principal,
    { sandboxId, home }: LocatedSandbox,
    { command, tty }: ExecRequest,
    { stdin, signal }: ExecStreams,
  ): Promise<OpenCommand> {
    const open = (cwd: string | undefined) =>
      this.#options.engine.commands.open(
        principal,
        sandboxId,
        {
          args: command,
          cwd,
          stdin: stdin !== undefined,
          ...(tty ? { terminal: { columns: 80, rows: 24 } } : {}),
        },
        { signal },
      );
    try {
      return await open(home).catch((error: unknown) => {
        // Nothing has been run; a template may be without this directory.
        if (isNotStarted(error)) return open(undefined);
        throw error;
      });
    } catch (error) {
      if (!(error instanceof SandportFault)) throw error;
      throw new KubeError(isNotStarted(error) ? 'BadRequest' : 'InternalError', error.message);
    }
  }

  #find(principal: Principal, { namespace, name }: PodRequest): LocatedSandbox {
    const sandbox = this.#options.directory().find(principal, namespace, name);
    if (sandbox === undefined)
      throw new KubeError('NotFound', `pods "${name}" not found`, { name, kind: 'pods' });
    return sandbox;
  }
}

const isNotStarted = (error: unknown): boolean =>
  error instanceof SandportFault && error.code === 'command_not_started';

function principalOf(caller: Caller): Principal {
  if (!isWithPrincipal(caller)) throw new KubeError('Forbidden', 'The caller has no API key.');
  return caller.principal;
}

const isWithPrincipal = (caller: Caller): caller is AgentSandboxCaller => 'principal' in caller;

async function resizeWith({ resizes }: ExecStreams, command: OpenCommand): Promise<void> {
  try {
    for await (const size of resizes) command.resize(size);
  } catch {
    // The client has gone; its signal ends the command.
  }
}

/** Carries the streams until the command has ended and all it wrote was written on. */
async function carry(command: OpenCommand, streams: ExecStreams): Promise<number> {
  const { stdin, stdout, stderr, signal } = streams;
  const kill = () => command.kill('SIGKILL');
  command.stdin?.on('error', () => undefined);
  if (stdin !== undefined && command.stdin !== undefined) {
    stdin.on('error', kill);
    stdin.pipe(command.stdin);
  }
  const output = (
    [
      [command.stdout, stdout],
      [command.stderr, stderr],
    ] as const
  ).map(async ([from, to]) => {
    if (to === undefined) {
      from.resume();
      await finished(from);
    } else await pipeline(from, to, { end: false });
  });
  try {
    const [exit] = await Promise.all([command.exit, ...output]);
    return exit.exit_code;
  } catch (error) {
    kill();
    command.stdout.destroy();
    command.stderr.destroy();
    if (signal.aborted || !(error instanceof SandportFault)) throw error;
    throw new KubeError('InternalError', error.message);
  } finally {
    if (command.stdin !== undefined) stdin?.unpipe(command.stdin);
  }
}
