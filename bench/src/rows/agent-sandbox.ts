import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeTemplate, measureClaims, measureCrowd } from '../agent-sandbox/claims.ts';
import { KubeClient } from '../agent-sandbox/kube-client.ts';
import { Runtime } from '../agent-sandbox/runtime.ts';
import { measureTransfers } from '../agent-sandbox/transfers.ts';
import { Tunnel } from '../agent-sandbox/tunnel.ts';
import { Api } from '../lifecycle/api.ts';
import type { Measurement } from '../report.ts';
import type { Row, Subject } from '../subject.ts';

/** Claims, and files and commands by the router and by a tunnel of kubectl. */
export const agentSandbox: Row = {
  name: 'agent-sandbox',
  onlyWhenNamed: true,
  async measure(subject, { quick, sizeMib }) {
    const rounds = quick ? 5 : 50;
    const measured: Measurement[] = [];
    using kube = await KubeClient.open(subject);
    using api = new Api(subject);
    const image = await makeSmallTemplate(api);
    const authorization = { authorization: `Bearer ${subject.apiKey}` };
    using router = new Runtime(`${subject.url}/agent-sandbox/router`, authorization);
    const kubeconfig = writeKubeconfig(subject);
    const processes = processCount();
    for (const isolation of subject.isolations) {
      const template = await makeTemplate(kube, isolation, image);
      measured.push(...(await measureClaims(kube, router, template, isolation, rounds)));
      const transfers = { rounds, sizeMib: quick ? 64 : sizeMib };
      const claim = await kube.create('sandboxclaims', {
        apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
        kind: 'SandboxClaim',
        metadata: { name: `transfers-${isolation}` },
        spec: { warmPoolRef: { name: `shadow-pool-${template}` } },
      });
      const sandbox = await kube.ready(claim);
      measured.push(
        ...(await measureTransfers(router, sandbox, `router, ${isolation}`, transfers)),
      );
      for (const transport of ['websocket', 'spdy'] as const) {
        await using tunnel = await Tunnel.open(subject, kubeconfig, transport);
        if (tunnel === undefined) {
          console.error('no kubectl: tunnels are left out');
          break;
        }
        using runtime = new Runtime(tunnel.url, {});
        const way = `kubectl by ${transport}, ${isolation}`;
        measured.push(...(await measureTransfers(runtime, sandbox, way, transfers)));
      }
      await kube.remove('sandboxclaims', claim.metadata.name);
      for (const warm of [true, false]) {
        const count = quick ? 20 : undefined;
        measured.push(...(await measureCrowd(kube, template, isolation, { count, warm })));
        await quiet(processes);
      }
      await kube.remove('sandboxtemplates', template);
    }
    await api.call('DELETE', `/v1/templates/${image}`);
    return measured;
  },
};

/** The end of hundreds of sandboxes would slow down what is measured next; it is not waited for ever. */
async function quiet(processes: number): Promise<void> {
  const deadline = performance.now() + 300_000;
  while (processCount() > processes && performance.now() < deadline) await sleep(200);
}

const processCount = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;

/** A template whose sandboxes have so little memory that a pool may promise hundreds of them. */
async function makeSmallTemplate(api: Api): Promise<string> {
  const { id } = await api.create({});
  const name = 'bench-small';
  const build = await api.call<{ id: string }>('POST', '/v1/templates/build', {
    name,
    from_sandbox: id,
    resources: { memory_mb: 64 },
    // A run that was cut off may have left one.
    replace: true,
    detach: true,
  });
  for (;;) {
    const { status, error } = await api.call<{ status: string; error?: string }>(
      'GET',
      `/v1/templates/builds/${build.id}`,
    );
    if (status === 'failed') throw new Error(error);
    if (status === 'done') break;
    await sleep(50);
  }
  await api.remove(id);
  return name;
}

/** Path of a kubeconfig for the daemon. */
function writeKubeconfig({ workDir, benchDir, url, apiKey }: Subject): string {
  const file = join(workDir, 'kubeconfig');
  const sandport = join(benchDir, '../apps/cli/bin/sandport.mjs');
  execFileSync(process.execPath, [sandport, 'kubeconfig', '--output', file], {
    env: { ...process.env, SANDPORT_URL: url, SANDPORT_API_KEY: apiKey },
  });
  return file;
}
