import { type FieldCause, KubeError } from '../objects/kube-error.ts';
import type { Resource } from '../objects/resource.ts';

/** More are not told. */
const maxCauses = 100;

/** Collects what is wrong with an object, in the words of Kubernetes. */
export class Causes {
  readonly #causes: FieldCause[] = [];

  get isFull(): boolean {
    return this.#causes.length >= maxCauses;
  }

  get all(): readonly FieldCause[] {
    return this.#causes;
  }

  add(reason: string, field: string, message: string): void {
    if (this.isFull) return;
    // Paths have keys of maps in them, which may be long.
    this.#causes.push({ reason, message: shortened(message), field: shortened(field) });
  }

  required(field: string, detail = ''): void {
    this.add('FieldValueRequired', field, withDetail('Required value', detail));
  }

  invalid(field: string, value: unknown, detail: string): void {
    this.add('FieldValueInvalid', field, withDetail(`Invalid value: ${printed(value)}`, detail));
  }

  wrongType(field: string, actual: string, expected: string): void {
    const detail = `${field} in body must be of type ${expected}: "${actual}"`;
    this.add('FieldValueTypeInvalid', field, `Invalid value: "${actual}": ${detail}`);
  }

  unsupported(field: string, value: unknown, supported: readonly unknown[]): void {
    const values = supported.map(printed).join(', ');
    this.add(
      'FieldValueNotSupported',
      field,
      `Unsupported value: ${printed(value)}: supported values: ${values}`,
    );
  }

  duplicate(field: string, value: unknown): void {
    this.add('FieldValueDuplicate', field, `Duplicate value: ${printed(value)}`);
  }

  tooLong(field: string, maxBytes: number): void {
    this.add('FieldValueTooLong', field, `Too long: may not be more than ${maxBytes} bytes`);
  }

  tooMany(field: string, count: number, max: number): void {
    this.add('FieldValueTooMany', field, `Too many: ${count}: must have at most ${max} items`);
  }

  forbidden(field: string, detail: string): void {
    this.add('FieldValueForbidden', field, withDetail('Forbidden', detail));
  }
}

const withDetail = (what: string, detail: string): string =>
  detail === '' ? what : `${what}: ${detail}`;

/** Longest text of a cause. */
const maxTextLength = 1024;

const shortened = (text: string): string =>
  text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;

const maxPrintedLength = 256;

/** A value in an error: strings in quotes, and never more than a line of it. */
export function printed(value: unknown): string {
  const json = JSON.stringify(value) ?? 'null';
  return json.length > maxPrintedLength ? `${json.slice(0, maxPrintedLength)}…` : json;
}

/** The error of an object that is not as it must be. */
export function invalidObject(
  { kind, group }: Pick<Resource, 'kind' | 'group'>,
  name: string,
  causes: readonly FieldCause[],
): KubeError {
  const sentences = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))];
  const [first = ''] = sentences;
  const what = sentences.length === 1 ? first : `[${sentences.join(', ')}]`;
  const qualified = group === '' ? kind : `${kind}.${group}`;
  return new KubeError('Invalid', `${qualified} ${JSON.stringify(name)} is invalid: ${what}`, {
    name,
    group,
    kind,
    causes,
  });
}
