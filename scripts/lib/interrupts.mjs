const controller = new AbortController();

/** Aborts when the person at the keyboard, or the system, wants this to end. */
export const interrupted = controller.signal;

/**
 * From here on Ctrl-C and its like abort {@link interrupted} instead of ending the process, so that
 * the script can clean up. Before it, as during the set-up, they end it at once.
 */
export function watchForInterrupts() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => controller.abort());
  }
}
