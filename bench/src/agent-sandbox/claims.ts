import { setTimeout as sleep } from 'node:timers/promises';
import type { Isolation } from 'sandport';
import { spread } from '../lifecycle/spread.ts';
import type { Measurement } from '../report.ts';
import { timeMs } from '../statistics.ts';
import type { KubeClient } from './kube-client.ts';
import type { Runtime } from './runtime.ts';

/** Members of the warm pool. */
const poolSize = 4;
const warmBudgetMs = 25;
const crowd = 300;
const crowdBudgetMs = 10_000;
const deletesAtOnce = 8;

/**
 * Makes a template of an isolation. @param image template of the daemon whose sandboxes have little
 * memory, so that hundreds fit on a machine
 */
export async function makeTemplate(
  kube: KubeClient,
  isolation: Isolation,
  image: string,
): Promise<string> {
  const name = `bench-${isolation}`;
  await kube.create('sandboxtemplates', {
    apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
    kind: 'SandboxTemplate',
    metadata: { name },
    spec: {
      podTemplate: {
        spec: {
          runtimeClassName: isolation === 'gvisor' ? 'gvisor' : 'runc',
          containers: [{ name: 'main', image }],
        },
      },
    },
  });
  return name;
}

/** Claims one after the other: POST, watch until ready, a first command, DELETE. */
export async function measureClaims(
  kube: KubeClient,
  runtime: Runtime,
  template: string,
  isolation: Isolation,
  rounds: number,
): Promise<Measurement[]> {
  await makePool(kube, template, 'bench-cold', 0);
  const cold = await oneByOne(kube, runtime, 'bench-cold', rounds, async () => undefined);
  await makePool(kube, template, 'bench-warm', poolSize);
  const full = () => waitUntilFull(kube, 'bench-warm', poolSize);
  const warm = await oneByOne(kube, runtime, 'bench-warm', rounds, full);
  await kube.remove('sandboxwarmpools', 'bench-cold');
  await kube.remove('sandboxwarmpools', 'bench-warm');
  return [
    spread(`claim to ready, cold, ${isolation}`, cold.ready),
    spread(`first command after ready, cold, ${isolation}`, cold.commands),
    spread(`claim to ready, warm pool, ${isolation}`, warm.ready, {
      budget: { of: 'value', limit: warmBudgetMs },
    }),
    spread(`first command after ready, warm pool, ${isolation}`, warm.commands),
  ];
}

/** Claims that begin at the same moment. @param warm a pool has a sandbox for each */
export async function measureCrowd(
  kube: KubeClient,
  template: string,
  isolation: Isolation,
  { count = crowd, warm }: { count?: number | undefined; warm: boolean },
): Promise<Measurement[]> {
  await makePool(kube, template, 'bench-crowd', warm ? count : 0);
  if (warm) await waitUntilFull(kube, 'bench-crowd', count);
  const names = Array.from({ length: count }, (_, at) => `crowd-${isolation}-${at}`);
  const times: number[] = [];
  let wall = 0;
  try {
    wall = await timeMs(() =>
      Promise.all(
        names.map(async (name) => {
          times.push(
            await timeMs(async () => {
              await kube.ready(await claim(kube, name, 'bench-crowd'));
            }),
          );
        }),
      ),
    );
  } finally {
    // First, so that it does not make new ones for those that are gone.
    await kube.remove('sandboxwarmpools', 'bench-crowd');
    for (let at = 0; at < names.length; at += deletesAtOnce)
      await Promise.all(
        names
          .slice(at, at + deletesAtOnce)
          .map((name) => kube.remove('sandboxclaims', name).catch(() => undefined)),
      );
  }
  const how = `${warm ? 'warm pool' : 'cold'}, ${isolation}`;
  return [
    spread(`claim to ready, ${count} at once, ${how}`, times),
    {
      operation: `${count} claims at once, all ready, ${how}`,
      value: wall,
      unit: 'ms',
      budget: { of: 'value', limit: crowdBudgetMs },
    },
  ];
}

const claim = (kube: KubeClient, name: string, pool: string) =>
  kube.create('sandboxclaims', {
    apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
    kind: 'SandboxClaim',
    metadata: { name },
    spec: { warmPoolRef: { name: pool } },
  });

const makePool = (kube: KubeClient, template: string, name: string, replicas: number) =>
  kube.create('sandboxwarmpools', {
    apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
    kind: 'SandboxWarmPool',
    metadata: { name },
    spec: { replicas, sandboxTemplateRef: { name: template } },
  });

async function oneByOne(
  kube: KubeClient,
  runtime: Runtime,
  pool: string,
  rounds: number,
  before: () => Promise<void>,
) {
  const ready: number[] = [];
  const commands: number[] = [];
  for (let round = -2; round < rounds; round++) {
    await before();
    const name = `${pool}-${round + 2}`;
    let sandbox = '';
    const becameReady = await timeMs(async () => {
      sandbox = await kube.ready(await claim(kube, name, pool));
    });
    const commanded = await timeMs(() => runtime.run(sandbox, 'true'));
    await kube.remove('sandboxclaims', name);
    if (round < 0) continue;
    ready.push(becameReady);
    commands.push(commanded);
  }
  return { ready, commands };
}

async function waitUntilFull(kube: KubeClient, pool: string, size: number): Promise<void> {
  for (;;) {
    const { status } = await kube.get('sandboxwarmpools', pool);
    if (status?.readyReplicas === size) return;
    await sleep(20);
  }
}
