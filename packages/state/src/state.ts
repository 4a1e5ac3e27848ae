import { openDatabase } from './database.ts';
import { EventTable } from './event-table.ts';
import { KeyTable } from './key-table.ts';
import { KubeObjectTable } from './kube-object-table.ts';
import { LinkTable } from './link-table.ts';
import { NamespaceNetworkTable } from './namespace-network-table.ts';
import { PoolTable } from './pool-table.ts';
import { PortTable } from './port-table.ts';
import { QuotaTable } from './quota-table.ts';
import { SandboxTable } from './sandbox-table.ts';
import { SecretTable } from './secret-table.ts';
import { SnapshotTable } from './snapshot-table.ts';
import { SshKeyTable } from './ssh-key-table.ts';
import { UploadTable } from './upload-table.ts';
import { VolumeTable } from './volume-table.ts';

/** What the daemon remembers across restarts. One writer, one file. */
export interface State extends Disposable {
  readonly sandboxes: SandboxTable;
  readonly volumes: VolumeTable;
  readonly keys: KeyTable;
  /** They go with their sandbox. */
  readonly uploads: UploadTable;
  /** They go with their sandbox, and with the key that made them. */
  readonly links: LinkTable;
  /** They outlive their sandbox. */
  readonly snapshots: SnapshotTable;
  readonly pools: PoolTable;
  readonly quotas: QuotaTable;
  readonly namespaceNetworks: NamespaceNetworkTable;
  readonly events: EventTable;
  readonly kubeObjects: KubeObjectTable;
  /** They go with the API key that registered them. */
  readonly sshKeys: SshKeyTable;
  /** They go with their sandbox. */
  readonly ports: PortTable;
  readonly secrets: SecretTable;
}

/** Opens the state in `file`, made when it is missing; `:memory:` for none on disk. */
export function openState(file: string): State {
  const database = openDatabase(file);
  return {
    sandboxes: new SandboxTable(database),
    volumes: new VolumeTable(database),
    keys: new KeyTable(database),
    uploads: new UploadTable(database),
    links: new LinkTable(database),
    snapshots: new SnapshotTable(database),
    pools: new PoolTable(database),
    quotas: new QuotaTable(database),
    namespaceNetworks: new NamespaceNetworkTable(database),
    events: new EventTable(database),
    kubeObjects: new KubeObjectTable(database),
    sshKeys: new SshKeyTable(database),
    ports: new PortTable(database),
    secrets: new SecretTable(database),
    [Symbol.dispose]: () => {
      database.close();
    },
  };
}
