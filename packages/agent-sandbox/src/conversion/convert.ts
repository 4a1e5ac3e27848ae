import type { KubeObject } from '@sandport/kube-api';
import { bodyOf, type FieldMaps } from './field-map.ts';
import { fieldsToPark, parkedAnnotation, unpark, withAnnotation } from './parked-fields.ts';

/**
 * Converts between the two versions of a kind, without loss: what the other version has no place
 * for goes into an annotation, and comes back from there.
 */
export const converter =
  ({ toV1beta1, toV1alpha1 }: FieldMaps) =>
  (object: KubeObject, version: string): KubeObject => {
    const [group = '', from = ''] = object.apiVersion.split('/');
    if (from === version) return object;
    const [there, back] = version === 'v1beta1' ? [toV1beta1, toV1alpha1] : [toV1alpha1, toV1beta1];
    const source = bodyOf(object);
    const mapped = there(source);
    const parked = fieldsToPark(source, mapped, back(mapped));
    const held = parkedAnnotation(version);
    const body = unpark(mapped, source, object.metadata.annotations?.[held]);
    const { spec: _, status: __, ...rest } = object;
    const metadata = withAnnotation(
      { ...object, metadata: withAnnotation(object, held, undefined) },
      parkedAnnotation(from),
      parked === undefined ? undefined : JSON.stringify(parked),
    );
    return { ...rest, apiVersion: `${group}/${version}`, metadata, ...body };
  };
