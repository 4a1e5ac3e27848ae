import type { SignalName } from '@sandport/protocol';

/** Signals that a command can be sent, by name. */
export type CommandSignal = SignalName;
