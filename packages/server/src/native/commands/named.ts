import type { Exchange } from '../../http/exchange.ts';

/** The command that the path names. */
export const named = (
  exchange: Exchange,
): [principal: Exchange['principal'], sandbox: string, command: string] => [
  exchange.principal,
  exchange.param('id'),
  exchange.param('command'),
];
