import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { keptDirectory } from './storage/storage.ts';

/** Parent of the run directories of all drivers on the machine. */
export const machineRunDir = '/run/sandport';

/** Where everything of one driver lies. Data survives a reboot; what is below `runDir` does not. */
export class Layout {
  readonly dataDir: string;
  readonly runDir: string;
  /** Short name of the data directory, for what is shared by the whole machine. */
  readonly hash: string;

  /** @param runDir @default /run/sandport/<hash> */
  constructor(dataDir: string, runDir?: string) {
    this.dataDir = dataDir;
    this.hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
    this.runDir = runDir ?? join(machineRunDir, this.hash);
  }

  get sandboxes(): string {
    return join(this.dataDir, 'sandboxes');
  }

  get volumes(): string {
    return join(this.dataDir, 'volumes');
  }

  get snapshots(): string {
    return join(this.dataDir, 'snapshots');
  }

  /** What is made beside something that it will take the place of; nothing here is anybody's. */
  get staging(): string {
    return join(this.dataDir, 'staging');
  }

  /** Disks of removed sandboxes, until their files are deleted. */
  get trash(): string {
    return join(this.dataDir, 'trash');
  }

  /** Parent of all cgroups of the driver, below every hierarchy. */
  get cgroup(): string {
    return `/sandport/${this.hash}`;
  }

  /** Directories with a mounted root each. */
  get roots(): string {
    return join(this.runDir, 'roots');
  }

  /** Directories that guests see at /run/sandport. */
  get controls(): string {
    return join(this.runDir, 's');
  }

  /** Binaries of the init that sandboxes run. */
  get initBinaries(): string {
    return join(this.runDir, 'bin');
  }

  /** Binaries of the init that images of memory need. */
  get inits(): string {
    return join(this.dataDir, 'inits');
  }

  /** Bundles of the runtimes. */
  get bundles(): string {
    return join(this.runDir, 'b');
  }

  sandbox(id: string): SandboxLayout {
    return sandboxLayout(this, id);
  }
}

export interface SandboxLayout {
  /** On the disk of the data directory. */
  readonly directory: string;
  readonly record: string;
  /** Notes on copies inside the sandbox that are under way. */
  readonly copies: string;
  /** Memory of its processes while it is hibernated. */
  readonly memory: string;
  readonly upper: string;
  readonly work: string;
  readonly disk: string;
  /** What is kept of commands, beside the layer that the guest writes to. */
  readonly commands: string;
  /** Directory that keeps other users of the machine away from the root. */
  readonly gate: string;
  /** Mount point of the sandbox's root. */
  readonly root: string;
  /** Where the template is mounted for a moment with the sandbox's ids. */
  readonly lower: string;
  /** The same for the sandbox's own layer. */
  readonly mappedDisk: string;
  readonly control: string;
  readonly socket: string;
  readonly token: string;
  readonly initMountPoint: string;
  readonly bundle: string;
  readonly pidFile: string;
  readonly log: string;
  readonly cgroup: string;
}

function sandboxLayout(layout: Layout, id: string): SandboxLayout {
  const directory = join(layout.sandboxes, id);
  const disk = join(directory, 'disk');
  const gate = join(layout.roots, id);
  const control = join(layout.controls, id);
  const bundle = join(layout.bundles, id);
  return {
    directory,
    record: join(directory, 'driver.json'),
    copies: join(directory, 'copies'),
    memory: join(directory, 'memory'),
    upper: join(disk, 'upper'),
    work: join(disk, 'work'),
    disk,
    commands: join(disk, keptDirectory),
    gate,
    root: join(gate, 'root'),
    lower: join(gate, 'lower'),
    mappedDisk: join(gate, 'disk'),
    control,
    socket: join(control, 'init.sock'),
    token: join(control, 'token'),
    initMountPoint: join(control, 'init'),
    bundle,
    pidFile: join(bundle, 'pid'),
    log: join(bundle, 'runtime.log'),
    cgroup: `${layout.cgroup}/${id}`,
  };
}
