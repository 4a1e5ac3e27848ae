import type { Engine, Principal } from '@sandport/engine';
import type { ObjectStore } from '@sandport/kube-api';
import type { SandboxObject } from '@sandport/protocol';
import { keys } from '../../resources/keys.ts';
import { type HeldSandboxes, ownerLabels } from './held-sandboxes.ts';

export interface AdoptOptions {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly principal: Principal;
  readonly held: HeldSandboxes;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** Takes hold of the sandboxes that were made for objects, and ends those whose object has gone. */
export function adoptSandboxes({ store, engine, principal, held, log }: AdoptOptions): void {
  for (const sandbox of ownSandboxes(engine, principal)) {
    const { id, namespace, name = '', metadata } = sandbox;
    const uid = metadata[ownerLabels.uid] ?? '';
    const object = store.get(keys.sandboxes, namespace, name);
    if (object?.metadata.uid === uid) {
      held.hold(sandbox, name, uid);
      continue;
    }
    engine.sandboxes
      .remove(principal, id)
      .catch((error: unknown) =>
        log('sandbox without an object not removed', { sandbox: id, error: String(error) }),
      );
  }
}

/** Those made for objects. A fork has another name than the label says, and is nobody's. */
function ownSandboxes(engine: Engine, principal: Principal): SandboxObject[] {
  return engine.sandboxes.registry
    .visible(principal)
    .map(({ row }) => engine.sandboxes.get(principal, row.id))
    .filter(
      ({ name, metadata, status }) =>
        name !== undefined &&
        metadata[ownerLabels.name] === name &&
        metadata[ownerLabels.uid] !== undefined &&
        status !== 'deleted',
    );
}
