import { alreadyExists } from '../../store/store-errors.ts';
import { visibleObject } from '../access/visible-objects.ts';
import type { ApiContext, Exchange } from '../requests/exchange.ts';
import type { ResourceTarget } from '../requests/resource-index.ts';

/**
 * Puts an object into the store that was there without having been made, as a namespace, so that it
 * can be changed or removed as any other. Only of resources whose objects are kept.
 */
export function adoptObject(
  context: Pick<ApiContext, 'store'>,
  exchange: Pick<Exchange, 'caller'>,
  target: ResourceTarget,
): void {
  const { resource, key, namespace = '', name = '' } = target;
  if (!resource.persistent || context.store.get(key, namespace, name) !== undefined) return;
  const made = visibleObject(context, exchange, target, 'synthetic');
  if (made !== undefined) context.store.create(key, made);
}

/** @throws KubeError `AlreadyExists` for a name that an object has which nobody made */
export function checkNotThere(
  { resource, namespace }: ResourceTarget,
  name: string | undefined,
): void {
  if (!resource.persistent || name === undefined || name === '') return;
  const made = resource.synthetic?.(resource.namespaced ? namespace : undefined) ?? [];
  if (made.some(({ metadata }) => metadata.name === name)) throw alreadyExists(resource, name);
}
