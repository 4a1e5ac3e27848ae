import type {
  AdoptionReport,
  Driver,
  DriverSandbox,
  Known,
  SandboxDeath,
  SandboxFiles,
  SandboxSpec,
  TemplateInfo,
} from '@sandport/driver';
import { type SandboxId, templateNameSchema } from '@sandport/protocol';

const refuse = (): Promise<never> => Promise.reject(new Error('not in this test'));
const nothing = (): Promise<void> => Promise.resolve();

/** Makes sandboxes without processes and files, remembers what was asked, and can fail. */
export class FakeDriver implements Driver {
  readonly name: string = 'fake';
  readonly isolations = ['gvisor', 'container'] as const;
  readonly memoryIsolations = [];
  readonly liveNetworkIsolations = ['container'] as const;
  readonly made: SandboxSpec[] = [];
  readonly removed: SandboxId[] = [];
  readonly directories: string[] = [];
  readonly removedVolumes: string[] = [];
  /** What creates reject with. */
  failure: Error | undefined;
  /** Creates wait for this. */
  gate: Promise<unknown> = Promise.resolve();
  underWay = 0;
  mostAtOnce = 0;
  readonly #deaths = new Map<string, (death: SandboxDeath) => void>();
  readonly #templates: TemplateInfo[] = [fakeTemplate('base')];
  /** What builds reject with. */
  buildFailure: Error | undefined;
  readonly built: string[] = [];

  readonly templates: Driver['templates'] = {
    list: () => Promise.resolve([...this.#templates]),
    build: async (name) => {
      await Promise.resolve();
      this.built.push(name);
      if (this.buildFailure !== undefined) throw this.buildFailure;
      const template = fakeTemplate(name);
      this.#templates.push(template);
      return template;
    },
    remove: nothing,
  };
  readonly volumes: Driver['volumes'] = {
    ensure: nothing,
    files: refuse,
    usage: refuse,
    remove: (_namespace, name) => {
      this.removedVolumes.push(name);
      return Promise.resolve();
    },
  };
  readonly snapshots: Driver['snapshots'] = { create: refuse, remove: nothing };
  readonly pause = nothing;
  readonly resume = nothing;
  readonly fork = refuse;
  readonly restore = refuse;
  readonly usage = refuse;
  readonly reconfigure = nothing;

  readonly hibernate: Driver['hibernate'] = (id) =>
    Promise.resolve({ ...this.#sandbox(id), reason: 'asleep', hibernation: { memory: false } });

  readonly wake: Driver['wake'] = ({ id }) =>
    Promise.resolve({ sandbox: this.#sandbox(id), memory: false });

  async create(spec: SandboxSpec, { signal }: { signal?: AbortSignal } = {}) {
    this.underWay += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay);
    try {
      const aborted = new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      );
      await Promise.race([this.gate, aborted]);
      if (this.failure !== undefined) throw this.failure;
      this.made.push(spec);
      return this.#sandbox(spec.id);
    } finally {
      this.underWay -= 1;
    }
  }

  adopt({ sandboxes }: Known): Promise<AdoptionReport> {
    const running = sandboxes.map(({ id }) => this.#sandbox(id));
    return Promise.resolve({ running, stopped: [], lost: [] });
  }

  remove(id: SandboxId): Promise<void> {
    this.removed.push(id);
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Ends the processes of a sandbox as nobody has asked for. */
  die(id: string, reason: string): void {
    this.#deaths.get(id)?.({ reason });
  }

  #sandbox(id: SandboxId): DriverSandbox {
    const files: Partial<SandboxFiles> = {
      makeDirectory: (path) => {
        this.directories.push(path);
        return Promise.resolve({ created: true } as never);
      },
    };
    const died = new Promise<SandboxDeath>((resolve) => this.#deaths.set(id, resolve));
    // The tests use no more of the files, and no commands.
    const parts = { files, commands: { kept: () => [] } } as unknown as Pick<
      DriverSandbox,
      'files' | 'commands'
    >;
    return { id, ...parts, paused: false, died };
  }
}

const fakeTemplate = (name: string): TemplateInfo => ({
  name: templateNameSchema.parse(name),
  description: '',
  status: 'ready',
  source: 'nothing',
  removable: name !== 'base',
  sizeBytes: 1,
  version: '1',
  user: 'user',
  workdir: '/home/user',
  env: {},
  limits: { cpu: 1, memoryBytes: 2 ** 30, pids: 64 },
});
