/** The command line does not make sense; the message says why and how it does. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The user pressed Ctrl-C. */
export class Interrupted extends Error {
  override name = 'Interrupted';

  constructor() {
    super('interrupted');
  }
}
