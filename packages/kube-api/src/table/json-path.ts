import { fieldOf, isJsonObject } from '../objects/json.ts';

/** One step of a path: from a value to those that it leads to. */
type Step = (value: unknown) => readonly unknown[];

/** A path, read once; gives the values that it leads to, in order. */
export type JsonPath = (value: unknown) => readonly unknown[];

/** More values are not followed: a cell has no room for them. */
const maxValues = 1000;

/** Paths are few and come from definitions of resources; each is read once. */
const read = new Map<string, JsonPath>();

/**
 * The JSONPath forms that columns of tables have: `.a.b`, `['a']`, `[0]`, `[-1]`, `[*]`, `.*` and
 * `[?(@.type=='Ready')]`, where `==`, `!=` or the mere presence can be asked for.
 * @throws Error for any other form
 */
export function jsonPath(text: string): JsonPath {
  let path = read.get(text);
  if (path === undefined) {
    const steps = readSteps(text);
    path = (value) =>
      steps.reduce<readonly unknown[]>(
        (values, step) => values.flatMap(step).slice(0, maxValues),
        [value],
      );
    read.set(text, path);
  }
  return path;
}

/** Sorted so that the first which fits is meant. */
const forms: readonly (readonly [RegExp, (groups: readonly string[]) => Step])[] = [
  [/^\.?\[\*\]|^\.\*/, () => children],
  [/^\.?\[\s*(-?\d{1,9})\s*\]/, ([index = '']) => item(Number(index))],
  [/^\.?\[\s*'((?:[^'\\]|\\.)*)'\s*\]/, ([name = '']) => field(unescaped(name))],
  [/^\.?\[\s*"((?:[^"\\]|\\.)*)"\s*\]/, ([name = '']) => field(unescaped(name))],
  [/^\.?\[\?\(\s*@([^=!<>\s)]*)\s*(?:(==|!=)\s*([^)]*?)\s*)?\)\]/, filter],
  [/^\.((?:[^.[\]\\]|\\.)+)/, ([name = '']) => field(unescaped(name))],
];

function readSteps(text: string): readonly Step[] {
  let rest = text
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .replace(/^\$/, '');
  if (rest !== '' && !/^[.[]/.test(rest)) rest = `.${rest}`;
  const steps: Step[] = [];
  while (rest !== '' && rest !== '.') {
    const step = readStep(rest);
    if (step === undefined) throw new Error(`The path "${text}" has a form that is not known.`);
    steps.push(step.step);
    rest = rest.slice(step.length);
  }
  return steps;
}

function readStep(text: string): { readonly step: Step; readonly length: number } | undefined {
  for (const [form, make] of forms) {
    const match = form.exec(text);
    if (match === null) continue;
    const [whole, ...groups] = match;
    return { step: make(groups), length: whole.length };
  }
  return undefined;
}

const unescaped = (name: string): string => name.replaceAll(/\\(.)/g, '$1');

const children: Step = (value) =>
  typeof value === 'object' && value !== null ? Object.values(value) : [];

function field(name: string): Step {
  return (value) => {
    const found = isJsonObject(value) ? fieldOf(value, name) : undefined;
    return found === undefined ? [] : [found];
  };
}

function item(index: number): Step {
  return (value) => {
    const found: unknown = Array.isArray(value) ? value.at(index) : undefined;
    return found === undefined ? [] : [found];
  };
}

function filter([path = '', operator, literal = '']: readonly string[]): Step {
  const inner = readSteps(path);
  const follow = (value: unknown): readonly unknown[] =>
    inner.reduce<readonly unknown[]>((values, step) => values.flatMap(step), [value]);
  const expected = operator === undefined ? undefined : readLiteral(literal);
  const fits = (value: unknown): boolean => {
    const [found] = follow(value);
    if (operator === undefined) return found !== undefined;
    return found !== undefined && (found === expected) === (operator === '==');
  };
  return (value) => children(value).filter(fits);
}

function readLiteral(text: string): unknown {
  const quoted = /^'(.*)'$|^"(.*)"$/s.exec(text);
  if (quoted !== null) return unescaped(quoted[1] ?? quoted[2] ?? '');
  return JSON.parse(text);
}
