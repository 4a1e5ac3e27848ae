import { stripVTControlCharacters } from 'node:util';

const mostLines = 6;
const mostCharacters = 600;

/** The beginning of an error's message, for a summary: at most 6 lines and 600 characters. */
export function shortReason(message) {
  const lines = stripVTControlCharacters(String(message ?? ''))
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  const text = lines.slice(0, mostLines).join('\n');
  const cut = lines.length > mostLines || text.length > mostCharacters;
  return cut ? `${text.slice(0, mostCharacters)} …` : text;
}
