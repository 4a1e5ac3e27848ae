import type { WakeOptions } from '@sandport/engine';
import type { Exchange } from '../http/exchange.ts';

/** Tells in the answer that the sandbox had to be woken for this request, and with what. */
export const tellWhenWoken = ({ response }: Exchange): WakeOptions => ({
  onWake: ({ memory }) => response.setHeader('X-Sandport-Woke', memory ? 'memory' : 'disk'),
});
