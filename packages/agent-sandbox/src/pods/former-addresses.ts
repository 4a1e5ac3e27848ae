import { fieldOf, isJsonObject, type ObjectTable } from '@sandport/kube-api';
import { keys } from '../resources/keys.ts';

/** Addresses that the Sandbox objects of a table had when they were last kept, each once. */
export function formerAddresses(table: Pick<ObjectTable, 'all'>): string[] {
  const found = new Set<string>();
  for (const { resource, object } of table.all())
    if (resource === keys.sandboxes) for (const address of addressesOf(object)) found.add(address);
  return [...found];
}

/** None of an object that cannot be read: the store tells of that one. */
function addressesOf(text: string): string[] {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    return [];
  }
  const status = isJsonObject(object) ? fieldOf(object, 'status') : undefined;
  const addresses = isJsonObject(status) ? fieldOf(status, 'podIPs') : undefined;
  return Array.isArray(addresses) ? addresses.filter((each) => typeof each === 'string') : [];
}
