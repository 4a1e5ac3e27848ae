import type { Log } from '../options.ts';

const linesPerMinute = 20;
const longestLine = 500;

/**
 * Passes lines of a sandbox's init on to the daemon's log. They come from inside the wall, so they
 * are cut short, and no more than a few a minute count.
 */
export function guestLog(log: Log, sandbox: string): (text: string) => void {
  let minute = 0;
  let lines = 0;
  return (text) => {
    const thisMinute = Math.floor(performance.now() / 60_000);
    if (thisMinute !== minute) lines = 0;
    minute = thisMinute;
    lines += 1;
    if (lines > linesPerMinute) return;
    log('warn', 'a guest init says', { sandbox, text: text.slice(0, longestLine) });
  };
}
