/** Signals that a command can be sent, by name. */
export type CommandSignal = 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGHUP';
