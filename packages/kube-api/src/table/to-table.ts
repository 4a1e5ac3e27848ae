import type { KubeObject } from '../objects/kube-object.ts';
import type { PrinterColumn, Resource } from '../objects/resource.ts';
import { versionOf } from '../schema/version-schema.ts';
import { cellOf } from './cell.ts';

export interface TableOptions {
  /** What each row carries of its object. @default 'Metadata' */
  readonly includeObject?: 'None' | 'Metadata' | 'Object';
  /** False: without column definitions, as after the first event of a watch. @default true */
  readonly withHeaders?: boolean;
  /** `metadata` of a list: `resourceVersion`, `continue`. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** To which ages are given. @default the present */
  readonly at?: Date;
}

const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'How long ago it was made.',
};

/** Objects, in the version given, as the `meta.k8s.io/v1` Table that `kubectl get` prints. */
export function toTable(
  resource: Resource,
  versionName: string,
  objects: readonly KubeObject[],
  options: TableOptions = {},
): Readonly<Record<string, unknown>> {
  const {
    includeObject = 'Metadata',
    withHeaders = true,
    metadata = {},
    at = new Date(),
  } = options;
  const { columns: own } = versionOf(resource, versionName);
  const columns = own.length === 0 ? [ageColumn] : own;
  // A kind may say itself where its name stands.
  const hasName = columns.some(({ name }) => name === nameDefinition.name);
  const nameFirst = <Value>(value: Value): readonly Value[] => (hasName ? [] : [value]);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withHeaders
      ? [...nameFirst(nameDefinition), ...columns.map(definitionOf)]
      : [],
    rows: objects.map((object) => ({
      cells: [
        ...nameFirst(object.metadata.name),
        ...columns.map((column) => cellOf(column, object, at)),
      ],
      ...rowObject(object, includeObject),
    })),
  };
}

const nameDefinition = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Unique within a namespace.',
  priority: 0,
};

const definitionOf = ({ name, type, format, description, priority }: PrinterColumn) => ({
  name,
  type,
  format: format ?? '',
  description: description ?? '',
  priority: priority ?? 0,
});

function rowObject(object: KubeObject, includeObject: TableOptions['includeObject']) {
  if (includeObject === 'None') return {};
  return { object: includeObject === 'Object' ? object : metadataOnly(object) };
}

/** An object as a `PartialObjectMetadata`. */
export const metadataOnly = ({ metadata }: KubeObject): Readonly<Record<string, unknown>> => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
});
