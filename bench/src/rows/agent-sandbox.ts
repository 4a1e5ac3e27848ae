import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { makeTemplate, measureClaims, measureCrowd } from '../agent-sandbox/claims.ts';
import { KubeClient } from '../agent-sandbox/kube-client.ts';
import { Runtime } from '../agent-sandbox/runtime.ts';
import { measureTransfers } from '../agent-sandbox/transfers.ts';
import { Tunnel } from '../agent-sandbox/tunnel.ts';
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
    const authorization = { authorization: `Bearer ${subject.apiKey}` };
    using router = new Runtime(`${subject.url}/agent-sandbox/router`, authorization);
    const kubeconfig = writeKubeconfig(subject);
    for (const isolation of subject.isolations) {
      const template = await makeTemplate(kube, isolation);
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
      measured.push(...(await measureCrowd(kube, template, isolation, quick ? 20 : undefined)));
      await kube.remove('sandboxtemplates', template);
    }
    return measured;
  },
};

/** Path of a kubeconfig for the daemon. */
function writeKubeconfig({ workDir, benchDir, url, apiKey }: Subject): string {
  const file = join(workDir, 'kubeconfig');
  const sandport = join(benchDir, '../apps/cli/bin/sandport.mjs');
  execFileSync(process.execPath, [sandport, 'kubeconfig', '--output', file], {
    env: { ...process.env, SANDPORT_URL: url, SANDPORT_API_KEY: apiKey },
  });
  return file;
}
