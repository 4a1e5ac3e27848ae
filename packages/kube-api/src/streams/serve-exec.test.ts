import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kubectls, noKubectl } from '../testing/find-kubectl.ts';
import { kubectl, type KubectlRun, startKubectl } from '../testing/run-kubectl.ts';
import { ToyCluster } from '../testing/toy-cluster.ts';

const MiB = 2 ** 20;

let cluster: ToyCluster;
beforeAll(async () => {
  cluster = await ToyCluster.start();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(kubectls.length === 0)(`kubectl exec (skipped when ${noKubectl})`, () => {
  const runs = kubectls.flatMap((program) =>
    [true, false].map((webSocket) => ({ program, webSocket })),
  );

  describe.each(runs)('$program, over WebSocket: $webSocket', (each) => {
    const run = (): KubectlRun => ({ ...each, kubeconfig: cluster.kubeconfig });
    // It falls back to the other one when it is refused.
    afterEach(() => {
      expect(cluster.lastUpgrade).toBe(each.webSocket ? 'websocket' : 'spdy/3.1');
    });
    const shell = (script: string, stdin?: Buffer) =>
      stdin === undefined
        ? kubectl(run(), ['exec', 'toy', '--', 'sh', '-c', script])
        : kubectl(run(), ['exec', '-i', 'toy', '--', 'sh', '-c', script], stdin);

    it('keeps the streams apart and gives the exit code', async () => {
      const { exitCode, stdout, stderr } = await shell('echo out; echo err >&2; exit 7');
      expect(stdout.toString()).toBe('out\n');
      expect(stderr).toBe('err\ncommand terminated with exit code 7\n');
      expect(exitCode).toBe(7);
    });

    it('carries input and output whole, and the end of the input', async () => {
      const bytes = randomBytes(20 * MiB);
      const { exitCode, stdout, stderr } = await shell('cat; echo "after the end" >&2', bytes);
      expect(sha256(stdout)).toBe(sha256(bytes));
      expect(stderr).toBe('after the end\n');
      expect(exitCode).toBe(0);
    });

    it('ends though much of the input is not read', async () => {
      const { exitCode, stdout } = await shell('head -c 3; exit 4', Buffer.alloc(40 * MiB, 'x'));
      expect(stdout.toString()).toBe('xxx');
      expect(exitCode).toBe(4);
    });

    it('tells why a command does not run', async () => {
      const { exitCode, stderr } = await kubectl(run(), ['exec', 'toy', '--', 'absent']);
      expect(stderr).toBe('error: there is no program "absent"\n');
      expect(exitCode).toBe(1);
    });

    it('runs 20 commands at once', { timeout: 60_000 }, async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) => shell(`echo ${index}; exit ${index}`)),
      );
      expect(results.map(({ exitCode }) => exitCode)).toEqual([...results.keys()]);
    });

    it('ends the command when kubectl is killed, also when it does not read', async () => {
      const child = startKubectl(run(), ['exec', '-i', 'toy', '--', 'sleep', '1000']);
      child.stdin?.on('error', () => {});
      child.stdin?.write(Buffer.alloc(32 * MiB));
      await expect.poll(() => cluster.pod.running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 300));
      child.kill('SIGKILL');
      await expect.poll(() => cluster.pod.running).toBe(0);
      await expect.poll(() => cluster.open).toBe(0);
    });

    it('copies directories with kubectl cp', { timeout: 60_000 }, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'kubectl-cp-'));
      try {
        mkdirSync(join(dir, 'from/below'), { recursive: true });
        const bytes = randomBytes(3 * MiB);
        writeFileSync(join(dir, 'from/below/data'), bytes);
        const up = await kubectl(run(), ['cp', join(dir, 'from'), `toy:${dir}/there`]);
        expect(up.stderr).toBe('');
        const down = await kubectl(run(), ['cp', `toy:${dir}/there`, join(dir, 'back')]);
        expect(down.exitCode).toBe(0);
        expect(sha256(readFileSync(join(dir, 'back/below/data')))).toBe(sha256(bytes));
      } finally {
        rmSync(dir, { recursive: true });
      }
    });
  });
});
