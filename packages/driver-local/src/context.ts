import type { Limiter } from '@sandport/linux';
import type { Isolation, SandboxId } from '@sandport/protocol';
import type { SpillBudget } from './commands/kept/spill-budget.ts';
import type { CgroupFeatures } from './machine/cgroup-features.ts';
import type { Privileges } from './machine/privileges.ts';
import type { Layout } from './layout.ts';
import type { LocalNetwork } from './network/local-network.ts';
import type { Log } from './options.ts';
import type { Runtime } from './runtimes/runtime.ts';
import type { HeldSandbox } from './sandbox/held-sandbox.ts';
import type { IdRanges } from './sandbox/id-ranges.ts';
import type { LivenessWatch } from './sandbox/liveness.ts';
import type { Disks } from './storage/disks.ts';
import type { LocalTemplates } from './templates/template-store.ts';
import type { LocalVolumes } from './volumes.ts';

/** What the parts of one driver share. */
export interface DriverContext {
  readonly layout: Layout;
  readonly log: Log;
  readonly runtimes: ReadonlyMap<Isolation, Runtime>;
  readonly cgroup: CgroupFeatures;
  readonly privileges: Privileges;
  readonly templates: LocalTemplates;
  readonly volumes: LocalVolumes;
  readonly disks: Disks;
  readonly ranges: IdRanges;
  readonly network: LocalNetwork;
  readonly starts: Limiter;
  readonly liveness: LivenessWatch;
  /** Of what kept commands have in memory. */
  readonly spillBudget: SpillBudget;
  /** Binary of the init that sandboxes run, where their users can reach it. */
  readonly initBinary: string;
  /** Library that programs in gVisor sandboxes are preloaded with. */
  readonly preloadLibrary: string;
  /** All sandboxes of this driver, with processes or without. */
  readonly held: Map<SandboxId, HeldSandbox>;
  /** Deletions of removed disks that are still under way. */
  readonly background: Set<Promise<void>>;
  /** Told before each step of a create; a test lets it throw. */
  readonly onStep?: ((step: CreateStep) => void) | undefined;
}

/** Steps of a create, in order. */
export const createSteps = [
  'template',
  'directories',
  'disk',
  'ids',
  'root',
  'volumes',
  'control',
  'channel',
  'network',
  'bundle',
  'start',
  'connect',
  'record',
] as const;
export type CreateStep = (typeof createSteps)[number];
