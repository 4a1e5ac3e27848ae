import { fieldOf, isJsonObject } from '../objects/json.ts';
import type { ManagedFields } from '../objects/kube-object.ts';
import { emptySet, type FieldSet, isEmpty, union } from './field-set.ts';
import { fromFieldsV1, toFieldsV1 } from './fields-v1.ts';

/** Someone who set fields, in one way. */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string | undefined;
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** Managers by what tells them apart. */
export type Managers = ReadonlyMap<string, Manager>;

/** An applier is the same in every version. */
export const managerKey = ({
  manager,
  operation,
  apiVersion,
  subresource = '',
}: Omit<Manager, 'time' | 'fields'>): string =>
  JSON.stringify([manager, operation, subresource, operation === 'Apply' ? '' : apiVersion]);

/** The managers of `metadata.managedFields`; undefined when it is not what it should be. */
export function readManagers(managedFields: unknown): Managers | undefined {
  const managers = new Map<string, Manager>();
  if (managedFields === undefined) return managers;
  if (!Array.isArray(managedFields)) return undefined;
  for (const entry of managedFields) {
    const manager = readManager(entry);
    if (manager === undefined) return undefined;
    managers.set(managerKey(manager), manager);
  }
  return managers;
}

function readManager(entry: unknown): Manager | undefined {
  if (!isJsonObject(entry)) return undefined;
  const manager = fieldOf(entry, 'manager');
  const operation = fieldOf(entry, 'operation');
  const apiVersion = fieldOf(entry, 'apiVersion');
  const subresource = fieldOf(entry, 'subresource');
  const time = fieldOf(entry, 'time');
  const fields = fromFieldsV1(fieldOf(entry, 'fieldsV1') ?? {});
  if (typeof manager !== 'string' || typeof apiVersion !== 'string') return undefined;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  if (fields === undefined) return undefined;
  return {
    manager,
    operation,
    apiVersion,
    subresource: typeof subresource === 'string' && subresource !== '' ? subresource : undefined,
    time: typeof time === 'string' ? time : undefined,
    fields,
  };
}

/** Whoever changed an object after so many others is put together with the oldest of them. */
const maxUpdaters = 10;
const ancientManager = 'ancient-changes';

/** As `metadata.managedFields` has them: appliers first, then by time. */
export function writeManagers(managers: Managers): readonly ManagedFields[] {
  const owners = [...managers.values()].filter(({ fields }) => !isEmpty(fields));
  return withAncientChanges(owners)
    .sort(
      (left, right) =>
        order(left.operation, right.operation) ||
        order(left.time ?? '', right.time ?? '') ||
        order(left.manager, right.manager),
    )
    .map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
      manager,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields),
      ...(subresource === undefined ? {} : { subresource }),
    }));
}

function order(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function withAncientChanges(owners: readonly Manager[]): Manager[] {
  const updaters = owners
    .filter(({ operation }) => operation === 'Update')
    .sort((left, right) => order(left.time ?? '', right.time ?? ''));
  if (updaters.length <= maxUpdaters) return [...owners];
  // One place is for those put together, in each version.
  const ancient = new Set(updaters.slice(0, updaters.length - maxUpdaters + 1));
  const together = new Map<string, Manager>();
  for (const { apiVersion, time, fields } of ancient) {
    const earlier = together.get(apiVersion);
    together.set(apiVersion, {
      manager: ancientManager,
      operation: 'Update',
      apiVersion,
      subresource: undefined,
      time,
      fields: union(earlier?.fields ?? emptySet, fields),
    });
  }
  return [...owners.filter((owner) => !ancient.has(owner)), ...together.values()];
}
