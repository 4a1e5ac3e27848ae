import { KubeError } from '../objects/kube-error.ts';
import type { Resource, ResourceVersion, Schema } from '../objects/resource.ts';
import { fieldOf, isJsonObject } from '../objects/json.ts';
import { objectMetaSchema } from './object-meta-schema.ts';
import { readSchema, ruleTexts, type SchemaNode } from './schema-node.ts';

/** @throws KubeError `NotFound` for a version that is not served */
export function versionOf(resource: Resource, versionName: string): ResourceVersion {
  const version = resource.versions.find(({ name }) => name === versionName);
  if (version === undefined) {
    throw new KubeError('NotFound', `${resource.kind} has no version "${versionName}"`);
  }
  return version;
}

const read = new WeakMap<ResourceVersion, SchemaNode>();

/** The schema of whole objects of a version, with that of their metadata. */
export function versionSchema(resource: Resource, versionName: string): SchemaNode {
  const version = versionOf(resource, versionName);
  let node = read.get(version);
  if (node === undefined) {
    node = readSchema(wholeSchema(version.schema));
    read.set(version, node);
  }
  return node;
}

/** A version's schema as it is published: with `apiVersion`, `kind` and `metadata`. */
export function wholeSchema(schema: Schema): Schema {
  const properties = fieldOf(schema, 'properties');
  return {
    ...schema,
    type: 'object',
    properties: {
      ...(isJsonObject(properties) ? properties : {}),
      apiVersion: {
        type: 'string',
        description: 'The version of the schema that this object has.',
      },
      kind: { type: 'string', description: 'What this object is.' },
      metadata: objectMetaSchema,
    },
  };
}

/**
 * Rules that the schemas of a resource name and for which there is no code.
 * @throws Error for a schema that cannot be checked
 */
export const missingRules = (resource: Resource): readonly string[] =>
  resource.versions
    .flatMap(({ name }) => ruleTexts(versionSchema(resource, name)))
    .filter((rule) => fieldOf(resource.rules, rule) === undefined);
