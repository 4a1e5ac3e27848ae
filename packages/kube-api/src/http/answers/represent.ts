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
  { served, form, includeObject }: View,
  objects: readonly KubeObject[],
  metadata: Body,
): Generator<string> {
  const { resource, version } = served;
  const convert = (object: KubeObject) => convertObject(resource, object, version.name);
  if (form === 'table') {
    const options = { includeObject, metadata };
    yield JSON.stringify(toTable(resource, version.name, objects.map(convert), options));
    return;
  }
  const isMetadata = form === 'metadata';
  const kind = isMetadata ? 'PartialObjectMetadataList' : `${resource.kind}List`;
  const apiVersion = isMetadata ? 'meta.k8s.io/v1' : groupVersion(resource.group, version.name);
  const head = JSON.stringify({ kind, apiVersion, metadata });
  yield `${head.slice(0, -1)},"items":[`;
  for (let start = 0; start < objects.length; start += itemsInPiece) {
    const items = objects.slice(start, start + itemsInPiece).map((object) => {
      const converted = convert(object);
      return JSON.stringify(isMetadata ? metadataOnly(converted) : converted);
    });
    yield (start === 0 ? '' : ',') + items.join(',');
  }
  yield ']}\n';
}

const itemsInPiece = 200;
