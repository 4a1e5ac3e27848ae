import type { Exchange } from '@sandport/server';
import { Refusal } from '../answers.ts';

/** @throws Refusal 405 */
export function allow(exchange: Exchange, methods: readonly string[]): void {
  if (methods.includes(exchange.request.method ?? 'GET')) return;
  throw new Refusal(
    405,
    { code: 'INVALID_ARGUMENT', message: `The methods here are ${methods.join(', ')}.` },
    { Allow: methods.join(', ') },
  );
}
