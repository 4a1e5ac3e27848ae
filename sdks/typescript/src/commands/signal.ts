import { type SignalName, signalSchema } from '@sandport/protocol';

/** Signals that a command can be sent, by name. */
export type CommandSignal = SignalName;

/** All of them. */
export const commandSignals: readonly CommandSignal[] = signalSchema.options;
