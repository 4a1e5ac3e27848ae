import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';

/** Says whether an object is one of those asked for. */
export type ObjectFilter = (object: KubeObject) => boolean;

interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!';
  readonly values: ReadonlySet<string>;
}

const maxLength = 16_384;
const maxRequirements = 256;
/** A word, or one of the signs of the grammar; `==` before `=`. */
const token = /\s*(==|!=|=|!|,|\(|\)|[^\s=!,()]+)/y;
const keyPattern =
  /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const valuePattern = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/**
 * Reads a label selector: requirements separated by commas, all of which must hold: `a=b`, `a==b`,
 * `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`. Undefined: everything is selected.
 * @throws KubeError `BadRequest`
 */
export function parseLabelSelector(text: string): ObjectFilter | undefined {
  if (text.length > maxLength) throw unreadable(text, `longer than ${maxLength} characters`);
  const requirements = new LabelSelectorParser(text).read();
  if (requirements.length === 0) return undefined;
  return ({ metadata: { labels = {} } }) => {
    const own = new Map(Object.entries(labels));
    return requirements.every((requirement) => holds(requirement, own));
  };
}

function holds({ key, operator, values }: Requirement, labels: ReadonlyMap<string, string>) {
  const value = labels.get(key);
  switch (operator) {
    case '=':
    case 'in':
      return value !== undefined && values.has(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.has(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
  }
}

class LabelSelectorParser {
  readonly #text: string;
  readonly #tokens: string[] = [];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    const rest = text.trimEnd();
    token.lastIndex = 0;
    while (token.lastIndex < rest.length) {
      const found = token.exec(rest)?.[1];
      if (found === undefined) throw this.#wrong('it cannot be read');
      this.#tokens.push(found);
    }
  }

  read(): Requirement[] {
    const requirements: Requirement[] = [];
    while (this.#next < this.#tokens.length) {
      requirements.push(this.#requirement());
      if (requirements.length > maxRequirements) {
        throw this.#wrong(`more than ${maxRequirements} requirements`);
      }
      if (this.#next === this.#tokens.length) break;
      this.#expect(',');
      if (this.#next === this.#tokens.length) throw this.#wrong('something must follow the last ,');
    }
    return requirements;
  }

  #requirement(): Requirement {
    if (this.#peek() === '!') {
      this.#next += 1;
      return { key: this.#key(), operator: '!', values: new Set() };
    }
    const key = this.#key();
    const operator = this.#peek();
    if (operator === undefined || operator === ',') {
      return { key, operator: 'exists', values: new Set() };
    }
    this.#next += 1;
    switch (operator) {
      case '=':
      case '==':
        return { key, operator: '=', values: new Set([this.#value()]) };
      case '!=':
        return { key, operator, values: new Set([this.#value()]) };
      case 'in':
      case 'notin':
        return { key, operator, values: this.#values() };
      default:
        throw this.#wrong(`found '${operator}', expected: in, notin, =, ==, !=, or a comma`);
    }
  }

  #key(): string {
    const key = this.#tokens[this.#next] ?? '';
    if (!keyPattern.test(key) || key.length > 317) throw this.#wrong(`'${key}' is no label's name`);
    this.#next += 1;
    return key;
  }

  /** One value, which may be empty. */
  #value(): string {
    const value = this.#peek();
    if (value === undefined || value === ',' || value === ')') return '';
    this.#next += 1;
    if (!valuePattern.test(value)) throw this.#wrong(`'${value}' is no label's value`);
    return value;
  }

  #values(): ReadonlySet<string> {
    const values = new Set<string>();
    this.#expect('(');
    for (;;) {
      values.add(this.#value());
      if (this.#peek() !== ',') break;
      this.#next += 1;
    }
    this.#expect(')');
    return values;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #expect(sign: string): void {
    if (this.#peek() !== sign) {
      throw this.#wrong(`found '${this.#peek() ?? ''}', expected '${sign}'`);
    }
    this.#next += 1;
  }

  #wrong(why: string): KubeError {
    return unreadable(this.#text, why);
  }
}

const unreadable = (text: string, why: string): KubeError =>
  new KubeError(
    'BadRequest',
    `unable to parse label selector ${JSON.stringify(text.slice(0, 200))}: ${why}`,
  );
