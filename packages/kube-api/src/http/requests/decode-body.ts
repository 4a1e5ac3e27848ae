import { parse } from 'yaml';
import { checkJson } from '../../objects/json.ts';
import { KubeError } from '../../objects/kube-error.ts';
import { isTooDeepForYaml } from './yaml-depth.ts';

/** YAML is slow to read, and what is read stops the event loop. Large bodies are JSON. */
const maxYamlLength = 256 << 10;

/**
 * The value of a JSON or YAML text; undefined for an empty one.
 * @throws KubeError `BadRequest`, `RequestEntityTooLarge`
 */
export function decodeBody(text: string): unknown {
  if (text.trim() === '') return undefined;
  const value = /^\s*[[{]/.test(text) ? (tryJson(text) ?? readYaml(text)) : readYaml(text);
  checkJson(value);
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
  if (isTooDeepForYaml(text)) {
    throw new KubeError('BadRequest', 'the YAML is nested or indented too deeply; send JSON');
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
