import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { errorTable, type SandportFault } from '@sandport/protocol';

/** Of the page: it holds text and nothing that acts. */
export const errorPagePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/** True for what somebody looks at in a browser. */
export const wantsPage = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && (headers.accept ?? '').includes('text/html');

/** An error for people. */
export function errorPage({ code, status, message }: SandportFault): string {
  const title = `${status} ${STATUS_CODES[status] ?? ''}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:15vh auto;padding:0 1em}</style>
<h1>${escape(title)}</h1>
<p>${escape(message)}</p>
<p>${escape(errorTable[code].advice).replaceAll(/`([^`]*)`/g, '<code>$1</code>')}</p>
</html>
`;
}

const escape = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
