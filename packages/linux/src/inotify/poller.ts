/** How often queues are looked at: news are this late at most, when there is time. */
const INTERVAL_MS = 20;
/** How long all watchers together may take at a time. */
const BUDGET_MS = 8;

export interface Polled {
  /** Takes what news there are, until about the given time (of `performance.now`). */
  poll(untilMs: number): void;
}

const watchers: Polled[] = [];
let timer: NodeJS.Timeout | undefined;

/** One timer for all, which runs while there are watchers. */
export function startPolling(watcher: Polled): void {
  watchers.push(watcher);
  timer ??= setInterval(pollAll, INTERVAL_MS).unref();
}

/** No error when it is not polled. */
export function stopPolling(watcher: Polled): void {
  const index = watchers.indexOf(watcher);
  if (index !== -1) watchers.splice(index, 1);
  if (watchers.length > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function pollAll(): void {
  const untilMs = performance.now() + BUDGET_MS;
  // Whoever was not reached is first the next time.
  for (let left = watchers.length; left > 0; left--) {
    const [watcher] = watchers;
    if (watcher === undefined) return;
    watchers.push(...watchers.splice(0, 1));
    watcher.poll(untilMs);
    if (performance.now() >= untilMs) return;
  }
}
