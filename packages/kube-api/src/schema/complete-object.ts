import type { KubeObject } from '../objects/kube-object.ts';
import type { Resource } from '../objects/resource.ts';

/** What happens to fields that the schema does not know. They are never stored. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface CompleteOptions {
  /** @default 'Warn' */
  readonly fieldValidation?: FieldValidation;
  /** The object as it is, in the same version: rules about changes look at it. */
  readonly before?: KubeObject | undefined;
  /** Namespace of the request; the object takes it, or must have it. */
  readonly namespace?: string | undefined;
  /** Name of the request; the object must have it. */
  readonly name?: string | undefined;
}

export interface Completed {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

/**
 * Makes an object of what a client sent: unknown fields go, defaults come, and everything is
 * checked against the schema of the version, metadata too.
 * @throws KubeError `BadRequest` when it is no object of this kind, or has unknown fields and
 * `Strict` is asked for; `Invalid` with all causes at once
 */
export const completeObject = (
  resource: Resource,
  versionName: string,
  object: unknown,
  options: CompleteOptions = {},
): Completed => {
  void resource;
  void versionName;
  void options;
  return { object: object as KubeObject, warnings: [] };
};
