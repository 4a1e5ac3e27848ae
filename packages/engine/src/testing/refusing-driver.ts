import type {
  AdoptionReport,
  Driver,
  DriverSandbox,
  Known,
  SandboxSpec,
  TemplateInfo,
} from '@sandport/driver';
import { type SandboxId, templateNameSchema } from '@sandport/protocol';

const template: TemplateInfo = {
  name: templateNameSchema.parse('base'),
  description: '',
  status: 'ready',
  source: 'nothing',
  removable: false,
  sizeBytes: 1,
  user: 'user',
  workdir: '/home/user',
  env: {},
  limits: { cpu: 1, memoryBytes: 2 ** 30, pids: 64 },
};

const refuse = (): Promise<never> => Promise.reject(new Error('not in this test'));
const nothing = (): Promise<void> => Promise.resolve();

/**
 * A driver for tests of what a real one cannot be made to do: it makes sandboxes without files and
 * commands, and refuses all else. A test overrides what it is about.
 */
export class RefusingDriver implements Driver {
  readonly name: string = 'refusing';
  readonly isolations = ['container'] as const;
  readonly memoryIsolations = [];
  readonly liveNetworkIsolations = ['container'] as const;
  readonly templates = {
    list: () => Promise.resolve([template]),
    build: () => Promise.resolve(template),
    remove: nothing,
  };
  readonly volumes: Driver['volumes'] = {
    ensure: nothing,
    files: refuse,
    usage: refuse,
    remove: nothing,
  };
  readonly snapshots: Driver['snapshots'] = { create: refuse, remove: nothing };
  pause: Driver['pause'] = refuse;
  resume: Driver['resume'] = refuse;
  hibernate: Driver['hibernate'] = refuse;
  wake: Driver['wake'] = refuse;
  fork: Driver['fork'] = refuse;
  restore: Driver['restore'] = refuse;
  reconfigure: Driver['reconfigure'] = refuse;
  usage: Driver['usage'] = refuse;

  create({ id }: SandboxSpec): Promise<DriverSandbox> {
    const unused = new Proxy({}, {});
    const commands = { start: refuse, connect: refuse, keep: refuse, kept: () => [] };
    const parts = { files: unused as DriverSandbox['files'], commands };
    return Promise.resolve({ id, ...parts, paused: false, died: new Promise(() => {}) });
  }

  adopt({ sandboxes }: Known): Promise<AdoptionReport> {
    return Promise.resolve({ running: [], stopped: [], lost: sandboxes.map(({ id }) => id) });
  }

  remove(_id: SandboxId): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
