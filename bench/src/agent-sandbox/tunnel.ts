import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Subject } from '../subject.ts';

/** `kubectl port-forward` to the router, by WebSocket or by SPDY. */
export class Tunnel implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: string) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Undefined without a kubectl. */
  static async open(
    subject: Subject,
    kubeconfig: string,
    transport: 'websocket' | 'spdy',
  ): Promise<Tunnel | undefined> {
    const own = join(subject.benchDir, '../.setup/tools/kubectl/kubectl');
    const child = spawn(
      existsSync(own) ? own : 'kubectl',
      ['port-forward', 'svc/sandbox-router-svc', ':8080', '-n', 'agent-sandbox-system'],
      {
        env: {
          ...process.env,
          HOME: dirname(kubeconfig),
          KUBECONFIG: kubeconfig,
          KUBECTL_PORT_FORWARD_WEBSOCKETS: String(transport === 'websocket'),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const started = await Promise.race([
      once(child, 'spawn').then(() => true),
      once(child, 'error').then(() => false),
    ]);
    if (!started || child.stdout === null) return undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      const port = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port === undefined) continue;
      // A pipe that nobody reads would stop kubectl, which writes a line for each connection.
      child.stdout.resume();
      return new Tunnel(child, port);
    }
    throw new Error('kubectl ended before it forwarded anything');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
