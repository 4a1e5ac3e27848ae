import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface KubectlRun {
  readonly program: string;
  readonly kubeconfig: string;
  /** Whether it streams over WebSocket, or over SPDY. */
  readonly webSocket: boolean;
}

export interface KubectlResult {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export function startKubectl(run: KubectlRun, args: readonly string[]): ChildProcess {
  const flag = String(run.webSocket);
  return spawn(run.program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      KUBECONFIG: run.kubeconfig,
      KUBECTL_PORT_FORWARD_WEBSOCKETS: flag,
      KUBECTL_REMOTE_COMMAND_WEBSOCKETS: flag,
    },
  });
}

/** Runs kubectl to its end. */
export async function kubectl(
  run: KubectlRun,
  args: readonly string[],
  stdin: Buffer | string = '',
): Promise<KubectlResult> {
  const child = startKubectl(run, args);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin?.on('error', () => {});
  child.stdin?.end(stdin);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stdout: Buffer.concat(stdout), stderr };
}

/** A running `kubectl port-forward`. */
export class KubectlTunnel implements AsyncDisposable {
  readonly child: ChildProcess;
  stderr = '';
  /** The port on this machine for each that is forwarded. */
  readonly ports = new Map<number, number>();

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  static async open(run: KubectlRun, ports: readonly number[]): Promise<KubectlTunnel> {
    const forwarded = ports.map((port) => `:${port}`);
    const args = ['port-forward', '--address', '127.0.0.1', 'pod/toy', ...forwarded];
    const tunnel = new KubectlTunnel(startKubectl(run, args));
    const lines = createInterface({ input: tunnel.child.stdout ?? process.stdin });
    await new Promise<void>((resolve, reject) => {
      tunnel.child.once('close', () => reject(new Error(tunnel.stderr)));
      lines.on('line', (line) => {
        const [, near, far] = /^Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)$/.exec(line) ?? [];
        if (far !== undefined) tunnel.ports.set(Number(far), Number(near));
        if (tunnel.ports.size === ports.length) resolve();
      });
    });
    return tunnel;
  }

  port(forwarded: number): number {
    return this.ports.get(forwarded) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'close');
  }
}
