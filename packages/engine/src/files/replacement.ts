import type { RE2JS } from 're2js';
import { invalidPattern } from './text-pattern.ts';

/** Text of a replacement, or the number of a group of the match; 0 is all of it. */
export type ReplacementPart = string | number;

/**
 * Reads a replacement: `$1` and `${1}` stand for the group with this number, `${name}` for the one
 * with this name, `$0` for the whole match, `$$` for a dollar sign. Any other `$` is one itself.
 * @throws SandportFault `invalid_pattern` when the expression has no such group
 */
export function parseReplacement(replacement: string, expression: RE2JS): ReplacementPart[] {
  const parts: ReplacementPart[] = [];
  let end = 0;
  for (const match of replacement.matchAll(/\$(?:(\$)|(\d{1,3})|\{(\w+)\})/g)) {
    const [text, dollar, number, name] = match;
    parts.push(replacement.slice(end, match.index));
    parts.push(dollar ?? groupOf(number ?? name ?? '', text, expression));
    end = match.index + text.length;
  }
  parts.push(replacement.slice(end));
  return parts.filter((part) => part !== '');
}

function groupOf(group: string, text: string, expression: RE2JS): number {
  if (!/^\d+$/.test(group)) {
    const named = expression.namedGroups();
    const number = Object.hasOwn(named, group) ? named[group] : undefined;
    if (number === undefined)
      throw invalidPattern(text, 'the expression has no group with this name');
    return number;
  }
  if (Number(group) > expression.groupCount())
    throw invalidPattern(
      text,
      `the expression has only ${expression.groupCount()} groups; write \${1} before a digit`,
    );
  return Number(group);
}
