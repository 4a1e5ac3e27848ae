import type { KubeObject } from '@sandport/kube-api';

export type Fields = Readonly<Record<string, unknown>>;

/** The two parts of an object in which versions differ. */
export interface Body {
  readonly spec?: Fields;
  readonly status?: Fields;
}

/**
 * How the fields of one version become those of the other, as far as the other has a place for
 * them: fields without one are left out.
 */
export interface FieldMaps {
  readonly toV1beta1: (body: Body) => Body;
  readonly toV1alpha1: (body: Body) => Body;
}

export const bodyOf = ({ spec, status }: KubeObject): Body => ({
  ...(spec === undefined ? {} : { spec }),
  ...(status === undefined ? {} : { status }),
});

/** A copy without some fields. */
export const without = (fields: Fields, ...names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

/** The text at `fields.NAME.name`, as references have it. */
export function referenced(fields: Fields, field: string): string | undefined {
  const reference = fields[field];
  if (typeof reference !== 'object' || reference === null || !('name' in reference))
    return undefined;
  return typeof reference.name === 'string' ? reference.name : undefined;
}
