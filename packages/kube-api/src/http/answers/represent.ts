import type { KubeObject } from '../../objects/kube-object.ts';
import { groupVersion } from '../../objects/resource.ts';
import { convertObject } from '../../schema/convert-object.ts';
import { metadataOnly, toTable } from '../../table/to-table.ts';
import type { ServedResource } from '../requests/resource-index.ts';
import type { ObjectForm } from './accepted-form.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** How objects are shown to one client. */
export interface View {
  readonly served: ServedResource;
  readonly form: ObjectForm;
  /** What rows of a table carry of their objects. */
  readonly includeObject: IncludeObject;
}

type Body = Readonly<Record<string, unknown>>;

/** One object, given in its storage version, in the version and form of the view. */
export function represent({ served, form, includeObject }: View, object: KubeObject): Body {
  const { resource, version } = served;
  const converted = convertObject(resource, object, version.name);
  if (form === 'metadata') return metadataOnly(converted);
  if (form === 'object') return converted;
  const { resourceVersion } = object.metadata;
  const metadata = resourceVersion === undefined ? {} : { resourceVersion };
  return toTable(resource, version.name, [converted], { includeObject, metadata });
}

/** A list, in pieces of JSON, so that a long one need not be made at once. */
export function* representList(
  view: View,
  objects: readonly KubeObject[],
  metadata: Body,
): Generator<string> {
  const { field, head } = listHead(view, metadata);
  yield `${JSON.stringify(head).slice(0, -1)},"${field}":[`;
  for (let start = 0; start < objects.length; start += itemsInPiece) {
    const items = listItems(view, objects.slice(start, start + itemsInPiece));
    // Without the brackets of the list.
    yield (start === 0 ? '' : ',') + JSON.stringify(items).slice(1, -1);
  }
  yield ']}\n';
}

const itemsInPiece = 200;

/** All of a list but what is listed, and the field for that. */
function listHead({ served, form, includeObject }: View, metadata: Body) {
  const { resource, version } = served;
  if (form === 'table') {
    const table = toTable(resource, version.name, [], { includeObject, metadata });
    const { rows: _, ...head } = table;
    return { field: 'rows', head };
  }
  const isMetadata = form === 'metadata';
  const kind = isMetadata ? 'PartialObjectMetadataList' : `${resource.kind}List`;
  const apiVersion = isMetadata ? 'meta.k8s.io/v1' : groupVersion(resource.group, version.name);
  return { field: 'items', head: { kind, apiVersion, metadata } };
}

function listItems(
  { served, form, includeObject }: View,
  objects: readonly KubeObject[],
): readonly unknown[] {
  const { resource, version } = served;
  const items = objects.map((object) => convertObject(resource, object, version.name));
  if (form === 'object') return items;
  if (form === 'metadata') return items.map(metadataOnly);
  const { rows } = toTable(resource, version.name, items, { includeObject });
  return Array.isArray(rows) ? rows : [];
}
