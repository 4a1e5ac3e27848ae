const fancy = process.stdout.isTTY && !process.env.CI && process.env.TERM !== 'dumb';
const paint = (code, text) => (fancy ? `\x1b[${code}m${text}\x1b[0m` : text);

export const bold = (text) => paint(1, text);
export const dim = (text) => paint(2, text);
export const green = (text) => paint(32, text);
export const red = (text) => paint(31, text);
export const yellow = (text) => paint(33, text);

/** Milliseconds as a person reads them: 12 ms, 3.4 s, 2 min 5 s. */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/**
 * Runs one named step and shows it: on a terminal one line with the seconds and the latest word
 * from the step, elsewhere a line at the start of anything that takes more than two seconds, and
 * always a closing line. The work gets `say(text)`; what it returns (a string) closes the line.
 */
export async function step(name, work) {
  const startedAt = performance.now();
  let note = '';
  let announced = false;
  const width = () => Math.max(40, (process.stdout.columns ?? 80) - 1);
  const draw = () => {
    const elapsed = performance.now() - startedAt;
    if (fancy) {
      const text = `  … ${name} (${Math.floor(elapsed / 1000)} s) ${note}`;
      process.stdout.write(`\r\x1b[K${text.slice(0, width())}`);
    } else if (!announced && elapsed > 2000) {
      announced = true;
      console.log(`  … ${name}`);
    }
  };
  const timer = setInterval(draw, 250);
  const close = (mark, text) => {
    clearInterval(timer);
    if (fancy) process.stdout.write('\r\x1b[K');
    const took = duration(performance.now() - startedAt);
    console.log(`  ${mark} ${name} ${dim(`${took}${text ? `, ${text}` : ''}`)}`);
  };
  try {
    const result = await work((text) => {
      note = text.trim();
    });
    close(green('✓'), typeof result === 'string' ? result : '');
    return result;
  } catch (error) {
    close(red('✗'), 'failed');
    throw error;
  }
}

/** A line that stands out: something works less well than it could. */
export function warn(text) {
  console.log(`  ${yellow('!')} ${text}`);
}
