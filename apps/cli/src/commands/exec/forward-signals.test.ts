import { expect, test } from 'vitest';
import { forwardSignals } from './forward-signals.ts';

test('Ctrl-C interrupts the command, a second one ends it, and nothing goes on behind the end', () => {
  const sent: string[] = [];
  const before = process.listenerCount('SIGINT');
  {
    using _ = forwardSignals({
      kill(signal) {
        sent.push(signal);
        return Promise.reject(new Error('it has ended'));
      },
    });
    process.emit('SIGINT');
    process.emit('SIGINT');
    process.emit('SIGTERM');
  }
  expect(sent).toEqual(['SIGINT', 'SIGKILL', 'SIGTERM']);
  expect(process.listenerCount('SIGINT')).toBe(before);
});
