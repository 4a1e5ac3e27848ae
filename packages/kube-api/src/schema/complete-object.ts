import { checkJson, fieldOf, isJsonObject, type JsonObject } from '../objects/json.ts';
import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import { groupVersion, type Resource } from '../objects/resource.ts';
import { Causes, invalidObject, printed } from './causes.ts';
import { fillDefaults } from './fill-defaults.ts';
import { pruneUnknown } from './prune-unknown.ts';
import type { SchemaNode } from './schema-node.ts';
import { validateMetadata } from './validate-metadata.ts';
import { validateValue } from './validate-value.ts';
import { versionSchema } from './version-schema.ts';

/** What happens to fields that the schema does not know. They are never stored. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface CompleteOptions {
  /** @default 'Warn' */
  readonly fieldValidation?: FieldValidation | undefined;
  /** The object as it is, in the same version: rules about changes look at it. */
  readonly before?: KubeObject | undefined;
  /** Namespace of the request; the object takes it, or must have it. */
  readonly namespace?: string | undefined;
  /** Name of the request; the object takes it, or must have it. */
  readonly name?: string | undefined;
}

export interface Completed {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

/** More unknown fields are not told. */
const maxUnknownFields = 50;

/**
 * Makes an object of what a client sent: unknown fields go, defaults come, and everything is
 * checked against the schema of the version, metadata too.
 * @throws KubeError `BadRequest` when it is no object of this kind, or has unknown fields and
 * `Strict` is asked for; `Invalid` with all causes at once
 */
export function completeObject(
  resource: Resource,
  versionName: string,
  object: unknown,
  options: CompleteOptions = {},
): Completed {
  const { fieldValidation = 'Warn', before } = options;
  checkJson(object);
  const schema = versionSchema(resource, versionName);
  const identified = withIdentity(resource, versionName, object, options);
  const unknown: string[] = [];
  const known = pruneUnknown(schema, identified, '', (path) => {
    if (unknown.length < maxUnknownFields) unknown.push(`unknown field ${printed(path)}`);
  });
  dropUnknownBefore(schema, before, unknown);
  if (unknown.length > 0 && fieldValidation === 'Strict') throw strictError(resource, unknown);
  const completed = fillDefaults(schema, known);
  const causes = new Causes();
  validateValue(schema, completed, before, '', { causes, rules: resource.rules ?? {} });
  if (causes.all.length === 0 && isObject(completed)) {
    validateMetadata(resource, completed.metadata, causes);
    if (causes.all.length === 0) {
      return { object: completed, warnings: fieldValidation === 'Warn' ? unknown : [] };
    }
  }
  throw invalidObject(resource, options.name ?? nameOf(completed), causes.all);
}

/** What was there before was not sent by this client: another version may know it. */
function dropUnknownBefore(
  schema: SchemaNode,
  before: KubeObject | undefined,
  unknown: string[],
): void {
  if (unknown.length === 0 || before === undefined) return;
  const earlier = new Set<string>();
  pruneUnknown(schema, before, '', (path) => earlier.add(`unknown field ${printed(path)}`));
  unknown.splice(0, unknown.length, ...unknown.filter((field) => !earlier.has(field)));
}

/** True of what the schema of its version has been checked against. */
const isObject = (value: unknown): value is KubeObject => isJsonObject(value);

function nameOf(value: unknown): string {
  const metadata = isJsonObject(value) ? fieldOf(value, 'metadata') : undefined;
  const name = isJsonObject(metadata) ? fieldOf(metadata, 'name') : undefined;
  return typeof name === 'string' ? name : '';
}

const strictError = ({ kind }: Resource, unknown: readonly string[]): KubeError =>
  new KubeError(
    'BadRequest',
    `${kind} cannot be read: strict decoding error: ${unknown.join(', ')}`,
  );

/** The object with the kind, version, namespace and name that the request says. */
function withIdentity(
  resource: Resource,
  versionName: string,
  object: unknown,
  { namespace, name }: CompleteOptions,
): JsonObject {
  if (!isJsonObject(object)) {
    throw new KubeError('BadRequest', `the body must be one ${resource.kind}, as an object`);
  }
  const apiVersion = groupVersion(resource.group, versionName);
  expectText(object, 'apiVersion', apiVersion);
  expectText(object, 'kind', resource.kind);
  const metadata = fieldOf(object, 'metadata') ?? {};
  if (!isJsonObject(metadata)) {
    throw new KubeError('BadRequest', 'the metadata of the object must be an object');
  }
  const given = dropNulls(metadata);
  const sent = fieldOf(given, 'namespace') ?? '';
  if (namespace !== undefined && sent !== '' && sent !== namespace) {
    throw new KubeError(
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  }
  const sentName = fieldOf(given, 'name') ?? '';
  if (name !== undefined && sentName !== '' && sentName !== name) {
    throw new KubeError(
      'BadRequest',
      `the name of the object (${printed(sentName)}) does not match the name on the URL (${name})`,
    );
  }
  return {
    ...object,
    apiVersion,
    kind: resource.kind,
    metadata: {
      ...given,
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
}

function expectText(object: JsonObject, field: string, expected: string): void {
  const value = fieldOf(object, field) ?? '';
  if (value === '' || value === expected) return;
  throw new KubeError(
    'BadRequest',
    `the ${field} in the data (${printed(value)}) does not match the expected ${field} (${expected})`,
  );
}

/** In metadata a field that is null is one left out. */
const dropNulls = (metadata: JsonObject): JsonObject =>
  Object.values(metadata).includes(null)
    ? Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null))
    : metadata;
