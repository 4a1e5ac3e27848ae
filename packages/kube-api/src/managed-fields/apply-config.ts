import { checkJson, fieldOf, isJsonObject, type JsonObject } from '../objects/json.ts';
import { KubeError } from '../objects/kube-error.ts';
import { type KubeObject, kubeTime } from '../objects/kube-object.ts';
import { groupVersion, type Resource } from '../objects/resource.ts';
import { convertObject } from '../schema/convert-object.ts';
import { Causes, invalidObject } from '../schema/causes.ts';
import type { SchemaNode } from '../schema/schema-node.ts';
import { validateValue } from '../schema/validate-value.ts';
import { pruneUnknown } from '../schema/prune-unknown.ts';
import { versionSchema } from '../schema/version-schema.ts';
import { changeOwners, differencesOf } from './change-owners.ts';
import { conflictError } from './conflict-error.ts';
import { isEmpty } from './field-set.ts';
import { type Manager, managerKey, readManagers, writeManagers } from './managers.ts';
import { mergeValues } from './merge-values.ts';
import { ownedPart, withoutServersFields } from './owned-part.ts';
import { removeGivenUp } from './remove-given-up.ts';
import { withManagedFields } from './track-update.ts';
import { allFields, configFields } from './value-fields.ts';

/** A server-side apply. */
export interface ApplyRequest {
  readonly resource: Resource;
  /** Version of the request. */
  readonly versionName: string;
  /** As it is, in any version; undefined when there is none: the apply makes it. */
  readonly before: KubeObject | undefined;
  /** What the manager wants: only the fields that it has an opinion about. */
  readonly config: unknown;
  /** `fieldManager` of the query, which an apply must have. */
  readonly manager: string;
  /** Takes over fields of other managers instead of failing. @default false */
  readonly force?: boolean;
  /** As `status`. */
  readonly subresource?: string | undefined;
  /** @default the present */
  readonly at?: Date | undefined;
}

/** Who has what was there before the first apply, where nobody is known. */
const firstManager = 'before-first-apply';
const maxAppliers = 32;

/**
 * The object after the apply, in the version of the request, with its `metadata.managedFields`; not
 * yet checked: to be given to `completeObject`.
 * @throws KubeError `Conflict` with a cause for each field of another manager; `BadRequest` for a
 * config that is none, `Invalid` for one with values of wrong types; `Forbidden` for more appliers than are kept
 */
export function applyConfig(request: ApplyRequest): KubeObject {
  const { resource, versionName, manager, subresource, at } = request;
  const before =
    request.before === undefined ? undefined : convertObject(resource, request.before, versionName);
  const schema = versionSchema(resource, versionName);
  const config = readConfig(request);
  const managers = new Map(managersBefore(request, before));
  const identity = {
    manager,
    operation: 'Apply' as const,
    apiVersion: groupVersion(resource.group, versionName),
    subresource,
  };
  const self = managerKey(identity);
  const last = managers.get(self);
  const known = pruneUnknown(schema, config, '', () => undefined);
  checkTypes(resource, schema, known);
  const fields = withoutServersFields(configFields(schema, known));
  managers.set(self, { ...identity, fields, time: kubeTime(at) });
  checkCount(managers);
  // What is stored may have fields that this version does not know: the client did not send them.
  const live = pruneUnknown(schema, before, '', () => undefined);
  const merged = asObject(live === undefined ? config : mergeValues(schema, live, config));
  const after =
    last === undefined ? merged : removeGivenUp({ resource, versionName, merged, last, managers });
  const differences = differencesOf({ resource, versionName, subresource, before, after });
  const owners = changeOwners(resource, managers, self, differences);
  if (request.force !== true && owners.taken.length > 0) {
    throw conflictError(resource, after.metadata.name, owners.taken);
  }
  if (isEmpty(fields)) owners.managers.delete(self);
  return withManagedFields(after, writeManagers(owners.managers));
}

function readConfig({ resource, versionName, config, subresource }: ApplyRequest): JsonObject {
  checkJson(config);
  if (!isJsonObject(config)) {
    throw new KubeError('BadRequest', `the body must be one ${resource.kind}, as an object`);
  }
  const metadata = fieldOf(config, 'metadata') ?? {};
  if (!isJsonObject(metadata)) {
    throw new KubeError('BadRequest', 'the metadata of the object must be an object');
  }
  const apiVersion = groupVersion(resource.group, versionName);
  if (fieldOf(config, 'apiVersion') !== apiVersion || fieldOf(config, 'kind') !== resource.kind) {
    throw new KubeError(
      'BadRequest',
      `the body must have the apiVersion ${apiVersion} and the kind ${resource.kind}`,
    );
  }
  const given = Object.entries(metadata).filter(([, value]) => value !== null);
  if (given.some(([field]) => field === 'managedFields')) {
    throw new KubeError('BadRequest', 'metadata.managedFields must be nil');
  }
  return ownedPart(
    resource,
    versionName,
    { ...config, metadata: Object.fromEntries(given) },
    subresource,
  );
}

/**
 * What is converted between versions has at least the right types. The rest is checked when the
 * object is whole.
 */
function checkTypes(resource: Resource, schema: SchemaNode, config: unknown): void {
  const causes = new Causes();
  validateValue(schema, config, undefined, '', { causes, rules: undefined });
  const wrong = causes.all.filter(({ reason }) => reason === 'FieldValueTypeInvalid');
  if (wrong.length === 0) return;
  const metadata = isJsonObject(config) ? fieldOf(config, 'metadata') : undefined;
  const name = isJsonObject(metadata) ? fieldOf(metadata, 'name') : undefined;
  throw invalidObject(resource, typeof name === 'string' ? name : '', wrong);
}

/** A merge of an object, or a config with metadata: what is in it, the check to come looks at. */
function asObject(value: unknown): KubeObject {
  const object: JsonObject = isJsonObject(value) ? value : {};
  return { metadata: { name: '' }, ...object } as unknown as KubeObject;
}

function managersBefore(
  { resource, versionName, subresource }: ApplyRequest,
  before: KubeObject | undefined,
): ReadonlyMap<string, Manager> {
  if (before === undefined) return new Map();
  const { managedFields } = before.metadata;
  const managers = readManagers(managedFields) ?? new Map<string, Manager>();
  if (managers.size > 0) return managers;
  const schema = versionSchema(resource, versionName);
  const part = ownedPart(resource, versionName, before, subresource);
  const first: Manager = {
    manager: firstManager,
    operation: 'Update',
    apiVersion: before.apiVersion,
    subresource,
    time: before.metadata.creationTimestamp,
    fields: withoutServersFields(allFields(schema, part)),
  };
  return new Map([[managerKey(first), { ...first, fields: { ...first.fields, isMember: false } }]]);
}

function checkCount(managers: ReadonlyMap<string, Manager>): void {
  const appliers = [...managers.values()].filter(({ operation }) => operation === 'Apply');
  if (appliers.length <= maxAppliers) return;
  throw new KubeError(
    'Forbidden',
    `the object is applied by ${maxAppliers} field managers, and no more are kept: use one of theirs`,
  );
}
