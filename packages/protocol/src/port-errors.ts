import { type ErrorRow, errorRow } from './error-row.ts';

/** Errors of ports, and of the web servers behind them. */
export const portErrors = {
  preview_unauthorized: errorRow(
    401,
    'AuthError',
    'The link to the port has expired or is not valid, or the port needs one.',
    'Ask whoever has an API key for a new link; `sandport preview-url` makes one.',
  ),
  preview_forbidden: errorRow(
    403,
    'AuthError',
    'The link leads to other paths, or the request comes from a page elsewhere.',
    'Ask for a link to this path; open the preview itself instead of calling it from another page.',
    { carries: ['path'] },
  ),
  port_not_exposed: errorRow(
    404,
    'NotFoundError',
    'The port of the sandbox was not exposed.',
    'List the ports of the sandbox.',
    { carries: ['sandbox', 'port'] },
  ),
  bad_port_answer: errorRow(
    502,
    'UnavailableError',
    'What listens on the port did not answer with HTTP, or broke off before its answer.',
    'See what the server in the sandbox logs; for other protocols use `sandport port-forward`.',
    { carries: ['sandbox', 'port'] },
  ),
  port_timeout: errorRow(
    504,
    'UnavailableError',
    'The server in the sandbox took too long to answer.',
    'See what the server in the sandbox is doing, then try again.',
    { retryable: true, carries: ['sandbox', 'port'] },
  ),
} as const satisfies Record<string, ErrorRow>;
