import { SandportFault } from '@sandport/protocol';

/**
 * The query of a URL. Form encoding: a space comes as `+` or `%20`. Unlike URLSearchParams it
 * refuses bytes that are not UTF-8, which would otherwise name another file than was meant.
 */
export class Query {
  readonly #pairs: [string, string][] = [];

  /** @throws SandportFault `invalid_request` */
  constructor(text: string) {
    if (text === '') return;
    for (const part of text.split('&')) {
      if (part === '') continue;
      const mark = part.indexOf('=');
      this.#pairs.push(
        mark === -1
          ? [decode(part), '']
          : [decode(part.slice(0, mark)), decode(part.slice(mark + 1))],
      );
    }
  }

  /** The first value of `name`. */
  get(name: string): string | undefined {
    return this.#pairs.find(([key]) => key === name)?.[1];
  }

  /** All values of `name`, in their order. */
  all(name: string): string[] {
    return this.#pairs.filter(([key]) => key === name).map(([, value]) => value);
  }

  /**
   * A whole number from `min` to `max`, in decimal digits.
   * @throws SandportFault `invalid_request`
   */
  integer(name: string, { min, max }: { min: number; max: number }): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new SandportFault(
      'invalid_request',
      `\`${name}\` must be a whole number from ${min} to ${max}.`,
      { field: name },
    );
  }

  /** `true`, `1` or an empty value: true. `false`, `0`: false. */
  flag(name: string, fallback: boolean): boolean {
    const value = this.get(name);
    if (value === undefined) return fallback;
    if (value === '' || value === 'true' || value === '1') return true;
    if (value === 'false' || value === '0') return false;
    throw new SandportFault('invalid_request', `\`${name}\` must be true or false.`, {
      field: name,
    });
  }

  /** All pairs; of a name that comes twice the last one. */
  toObject(): Record<string, string> {
    return Object.fromEntries(this.#pairs);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    const clipped = text.length > 100 ? `${text.slice(0, 100)}…` : text;
    throw new SandportFault(
      'invalid_request',
      `The query holds "${clipped}", which is not percent-encoded UTF-8.`,
      { field: 'query' },
    );
  }
}
