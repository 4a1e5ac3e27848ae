import type { Driver } from '@sandport/driver';
import type { State } from '@sandport/state';
import { Commands } from './commands.ts';
import { Files } from './files/files.ts';
import { Keys } from './keys.ts';
import { Sandboxes } from './sandboxes/sandboxes.ts';
import { defaultAliases, Templates } from './templates.ts';
import { Volumes } from './volumes.ts';

export interface EngineOptions {
  readonly driver: Driver;
  readonly state: State;
  /** Alias → template name, beside {@link defaultAliases} and before them. @default {} */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Most sandboxes at one time. @default 1000 */
  readonly maxSandboxes?: number;
  /** @default nothing is logged */
  readonly log?: (message: string, fields: Record<string, unknown>) => void;
}

/** What Sandport does, without the wire: every dialect calls these. */
export class Engine implements Disposable {
  readonly keys: Keys;
  readonly templates: Templates;
  readonly volumes: Volumes;
  readonly sandboxes: Sandboxes;
  readonly files: Files;
  readonly commands: Commands;

  constructor(options: EngineOptions) {
    const { driver, state } = options;
    this.keys = new Keys(state.keys);
    this.templates = new Templates(driver.templates, { ...defaultAliases, ...options.aliases });
    this.sandboxes = new Sandboxes({
      driver,
      table: state.sandboxes,
      templates: this.templates,
      volumes: () => this.volumes,
      maxSandboxes: options.maxSandboxes ?? 1000,
      log: options.log ?? (() => undefined),
    });
    this.volumes = new Volumes(state.volumes, driver.volumes, (namespace, name) =>
      this.sandboxes.usersOf(namespace, name),
    );
    this.files = new Files(this.sandboxes);
    this.commands = new Commands(this.sandboxes);
  }

  /** Sandboxes keep running. */
  [Symbol.dispose](): void {
    this.sandboxes[Symbol.dispose]();
  }
}
