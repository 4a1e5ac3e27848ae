import type { KubeObject } from '../objects/kube-object.ts';
import type { PrinterColumn } from '../objects/resource.ts';
import { ageOf } from './age.ts';
import { jsonPath } from './json-path.ts';

export type Cell = string | number | boolean | null;

/** A terminal shows no more of a cell. */
const maxTextLength = 1024;

/** What a column shows of an object; null: nothing. */
export function cellOf(column: PrinterColumn, object: KubeObject, at: Date): Cell {
  if (column.cell !== undefined) return column.cell(object);
  const values = jsonPath(column.jsonPath)(object);
  const [value] = values;
  if (value === undefined || value === null) return null;
  switch (column.type) {
    case 'string':
      return values.map(textOf).join(' ').slice(0, maxTextLength);
    case 'date':
      return typeof value === 'string' ? ageOf(value, at) : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    default:
      return typeof value === 'number' ? value : null;
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
