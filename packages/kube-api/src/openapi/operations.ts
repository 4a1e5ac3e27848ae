import type { ServedKind, ServedVersion } from '../discovery/api-groups.ts';
import { subresourcesOf } from '../discovery/subresources.ts';
import type { Verb } from '../objects/resource.ts';
import { patchMediaTypesOf } from '../patch/patch-object.ts';
import type { SchemaPlace } from './kind-schemas.ts';
import { metaNames, scaleName, schemaName } from './schema-names.ts';

type Json = Readonly<Record<string, unknown>>;

/** What differs between the versions of OpenAPI. */
export interface Dialect {
  readonly place: SchemaPlace;
  parameter(name: string, place: 'path' | 'query', type: 'string' | 'boolean', text: string): Json;
  /** What an operation takes and gives, by the names of the schemas. */
  exchange(
    body: { readonly schema: string; readonly types: readonly string[] } | undefined,
    result: string,
  ): {
    readonly parameters: readonly Json[];
    readonly fields: Json;
  };
}

const json = ['application/json', 'application/yaml'];

/** The paths of all kinds of a version, and what can be done there. */
export function pathsOf(served: ServedVersion, dialect: Dialect): Record<string, Json> {
  const paths: Record<string, Json> = {};
  const root = served.group === '' ? '/api' : `/apis/${served.group}`;
  for (const kind of served.kinds) {
    const { resource } = kind;
    const scope = resource.namespaced ? '/namespaces/{namespace}' : '';
    const collection = `${root}/${served.version}${scope}/${resource.plural}`;
    const operation = operationsOf(served, kind, dialect);
    paths[collection] = {
      ...operation('list', 'get'),
      ...operation('create', 'post'),
      ...operation('deletecollection', 'delete'),
      parameters: operation.parameters(false),
    };
    paths[`${collection}/{name}`] = {
      ...operation('get', 'get'),
      ...operation('update', 'put'),
      ...operation('patch', 'patch'),
      ...operation('delete', 'delete'),
      parameters: operation.parameters(true),
    };
    if (resource.namespaced) {
      paths[`${root}/${served.version}/${resource.plural}`] = operation('list', 'get');
    }
    for (const { name } of subresourcesOf(kind)) {
      if (name !== 'status' && name !== 'scale') continue;
      const below = operationsOf(served, kind, dialect, name);
      paths[`${collection}/{name}/${name}`] = {
        ...below('get', 'get'),
        ...below('update', 'put'),
        ...below('patch', 'patch'),
        parameters: below.parameters(true),
      };
    }
  }
  return paths;
}

/** The names that OpenAPI documents of Kubernetes have for what is done. */
const actions: Readonly<Record<Verb, string>> = {
  get: 'get',
  list: 'list',
  watch: 'watch',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'deletecollection',
};

const writing: ReadonlySet<Verb> = new Set<Verb>(['create', 'update', 'patch']);

function operationsOf(
  { group, version }: ServedVersion,
  { resource }: ServedKind,
  dialect: Dialect,
  subresource?: string,
) {
  const { kind, verbs, namespaced } = resource;
  const schema = subresource === 'scale' ? scaleName : schemaName(group, version, kind);
  const bodies: Partial<Record<Verb, { schema: string; types: readonly string[] }>> = {
    create: { schema, types: json },
    update: { schema, types: json },
    patch: { schema: metaNames.patch, types: patchMediaTypesOf(resource) },
  };
  const results: Partial<Record<Verb, string>> = {
    list: `${schema}List`,
    delete: metaNames.status,
    deletecollection: metaNames.status,
  };
  const make = (verb: Verb, method: string): Json => {
    if (!verbs.includes(verb)) return {};
    const { parameters, fields } = dialect.exchange(bodies[verb], results[verb] ?? schema);
    const id = `${actions[verb]}${namespaced ? 'Namespaced' : ''}${kind}`;
    return {
      [method]: {
        description: `${actions[verb]} ${kind}${subresource === undefined ? '' : `/${subresource}`}`,
        operationId: [id, group, version, subresource, method].filter(Boolean).join('_'),
        parameters: [...parameters, ...(writing.has(verb) ? writeParameters(verb) : [])],
        ...fields,
        'x-kubernetes-action': actions[verb],
        'x-kubernetes-group-version-kind': { group, version, kind },
      },
    };
  };
  const writeParameters = (verb: Verb): readonly Json[] => [
    dialect.parameter('dryRun', 'query', 'string', 'All: nothing is stored.'),
    dialect.parameter('fieldManager', 'query', 'string', 'Who owns the fields that are set.'),
    dialect.parameter(
      'fieldValidation',
      'query',
      'string',
      'What is done about unknown fields: Ignore, Warn or Strict.',
    ),
    ...(verb === 'patch'
      ? [dialect.parameter('force', 'query', 'boolean', 'Takes over fields that others own.')]
      : []),
  ];
  const parameters = (hasName: boolean): readonly Json[] => [
    ...(hasName ? [dialect.parameter('name', 'path', 'string', 'Name of the object.')] : []),
    ...(namespaced ? [dialect.parameter('namespace', 'path', 'string', 'Its namespace.')] : []),
  ];
  return Object.assign(make, { parameters });
}
