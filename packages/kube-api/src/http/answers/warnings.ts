import type { ServerResponse } from 'node:http';

const maxWarnings = 32;
const maxWarningLength = 512;

/** Warnings travel as `299 - "text"`, one header each. */
export function setWarnings(response: ServerResponse, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  const unique = [...new Set(warnings)].slice(0, maxWarnings);
  response.setHeader('Warning', unique.map(headerOf));
}

function headerOf(warning: string): string {
  const plain = warning.replaceAll(/\p{Cc}+/gu, ' ').slice(0, maxWarningLength);
  const quoted = plain.replaceAll(/["\\]/g, String.raw`\$&`);
  // Node writes headers as Latin-1: this way UTF-8 comes out.
  return Buffer.from(`299 - "${quoted}"`, 'utf8').toString('latin1');
}
