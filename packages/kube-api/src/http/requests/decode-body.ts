import { parse } from 'yaml';
import { KubeError } from '../../objects/kube-error.ts';

/** YAML is slow to read, and what is read stops the event loop. Large bodies are JSON. */
const maxYamlLength = 256 << 10;
const maxDepth = 64;
const maxValues = 250_000;

/**
 * The value of a JSON or YAML text; undefined for an empty one.
 * @throws KubeError `BadRequest`, `RequestEntityTooLarge`
 */
export function decodeBody(text: string): unknown {
  if (text.trim() === '') return undefined;
  const value = /^\s*[[{]/.test(text) ? (tryJson(text) ?? readYaml(text)) : readYaml(text);
  checkBounds(value);
  return value;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (text.length <= maxYamlLength) return undefined;
    throw unreadable(error);
  }
}

function readYaml(text: string): unknown {
  if (text.length > maxYamlLength) {
    throw new KubeError(
      'RequestEntityTooLarge',
      `YAML is read up to ${maxYamlLength} characters; send JSON`,
    );
  }
  try {
    return parse(text, { maxAliasCount: 100, logLevel: 'error', prettyErrors: false });
  } catch (error) {
    throw unreadable(error);
  }
}

const unreadable = (error: unknown): KubeError => {
  const reason = error instanceof Error ? error.message.slice(0, 300) : String(error);
  return new KubeError('BadRequest', `the object provided is unrecognized: ${reason}`);
};

/** @throws KubeError `BadRequest` for what nobody sends in good faith */
function checkBounds(value: unknown): void {
  let left = maxValues;
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    left -= 1;
    if (left < 0) throw new KubeError('BadRequest', `the body has more than ${maxValues} values`);
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth === maxDepth) {
      throw new KubeError('BadRequest', `the body is nested deeper than ${maxDepth} levels`);
    }
    if (Object.hasOwn(next.value, '__proto__')) {
      throw new KubeError('BadRequest', 'the body has a field called __proto__');
    }
    for (const each of Object.values(next.value))
      waiting.push({ value: each, depth: next.depth + 1 });
  }
}
