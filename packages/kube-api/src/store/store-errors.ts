import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import { type Resource, resourceKey } from '../objects/resource.ts';

const detailsOf = ({ group, plural }: Resource, name: string) => ({ name, group, kind: plural });

export function notFound(resource: Resource, name: string): KubeError {
  const message = `${resourceKey(resource)} "${name}" not found`;
  return new KubeError('NotFound', message, detailsOf(resource, name));
}

export function alreadyExists(resource: Resource, name: string): KubeError {
  const message = `${resourceKey(resource)} "${name}" already exists`;
  return new KubeError('AlreadyExists', message, detailsOf(resource, name));
}

export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** @throws KubeError `Conflict` when the stored object is not the one that is meant */
export function checkPreconditions(
  resource: Resource,
  { metadata: stored }: KubeObject,
  { uid, resourceVersion }: Preconditions,
): void {
  if (uid !== undefined && uid !== '' && uid !== stored.uid) {
    throw conflict(
      resource,
      stored.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stored.uid ?? ''}`,
    );
  }
  if (
    resourceVersion !== undefined &&
    resourceVersion !== '' &&
    resourceVersion !== stored.resourceVersion
  ) {
    throw conflict(
      resource,
      stored.name,
      'the object has been modified; please apply your changes to the latest version and try again',
    );
  }
}

function conflict(resource: Resource, name: string, why: string): KubeError {
  const message = `Operation cannot be fulfilled on ${resourceKey(resource)} "${name}": ${why}`;
  return new KubeError('Conflict', message, detailsOf(resource, name));
}
