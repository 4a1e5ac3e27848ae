import type { IncomingMessage } from 'node:http';
import { KubeError } from '../../objects/kube-error.ts';
import { applyConfig } from '../../managed-fields/apply-config.ts';
import { patchObject } from '../../patch/patch-object.ts';
import { type PatchType, patchTypeOf } from '../../patch/patch-type.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { decodeBody } from '../requests/decode-body.ts';
import type { Exchange } from '../requests/exchange.ts';
import { flag, text } from '../requests/query.ts';
import { readText } from '../requests/read-body.ts';
import type { ResourceTarget } from '../requests/resource-index.ts';
import { createObject } from './create.ts';
import type { Storable } from './stored-form.ts';
import { presentObject, updateObject } from './update.ts';
import { writeRequestOf } from './write-options.ts';

export interface Patch {
  readonly type: PatchType;
  readonly value: unknown;
}

/** @throws KubeError */
export async function readPatch(request: IncomingMessage): Promise<Patch> {
  const type = patchTypeOf(request.headers['content-type']);
  const value = decodeBody(await readText(request));
  if (value === undefined) throw new KubeError('BadRequest', 'the patch is empty');
  return { type, value };
}

export interface Patched extends Storable {
  readonly isNew: boolean;
}

/**
 * Patches an object, or makes it by a server-side apply.
 * @throws KubeError
 */
export function applyPatch(
  store: ObjectStore,
  target: ResourceTarget,
  exchange: Exchange,
  { type, value }: Patch,
): Patched {
  const write = writeRequestOf(exchange);
  const { caller } = exchange;
  if (type === 'apply') return applyServerSide(store, target, exchange, value);
  const present = presentObject(store, target);
  const wanted = patchObject(target.resource, type, present.before, value);
  const update = { target, caller, present, wanted, isTracked: false };
  return { ...updateObject(store, update, write), isNew: false };
}

function applyServerSide(
  store: ObjectStore,
  target: ResourceTarget,
  exchange: Exchange,
  config: unknown,
): Patched {
  const { caller, query } = exchange;
  const write = writeRequestOf(exchange);
  const manager = text(query, 'fieldManager');
  if (manager === undefined) {
    throw new KubeError(
      'BadRequest',
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const { resource, key, version, namespace = '', name = '', subresource } = target;
  const isThere = store.get(key, namespace, name) !== undefined;
  const present = isThere || subresource !== undefined ? presentObject(store, target) : undefined;
  const wanted = applyConfig({
    resource,
    versionName: version.name,
    before: present?.before,
    config,
    manager,
    force: flag(query, 'force') ?? false,
    subresource,
  });
  if (present === undefined) {
    checkName(target, wanted.metadata?.name);
    return { ...createObject(store, target, caller, wanted, write, true), isNew: true };
  }
  const update = { target, caller, present, wanted, isTracked: true };
  return { ...updateObject(store, update, write), isNew: false };
}

function checkName({ name = '' }: ResourceTarget, given: unknown): void {
  if (given === name) return;
  throw new KubeError(
    'BadRequest',
    `the name of the object (${JSON.stringify(given)}) does not match the name on the URL (${name})`,
  );
}
