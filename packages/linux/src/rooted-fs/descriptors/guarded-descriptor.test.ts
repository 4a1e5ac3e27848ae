import { fstatSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GuardedDescriptor } from './guarded-descriptor.ts';

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

test('the number is given back only when no operation uses it any more', async () => {
  const fd = openSync('/dev/null', 'r');
  const guarded = new GuardedDescriptor(fd);
  const finish: (() => void)[] = [];
  for (let count = 0; count < 2; count++) {
    guarded.start((used, done) => {
      expect(used).toBe(fd);
      finish.push(done);
    });
  }
  let closed = false;
  const closing = guarded.close().then(() => {
    closed = true;
  });
  finish[0]?.();
  await Promise.resolve();
  expect([closed, isOpen(fd)]).toEqual([false, true]);
  expect(() => guarded.fd).toThrow('closed');
  expect(() => guarded.start(() => {})).toThrow('closed');
  finish[1]?.();
  await closing;
  expect(isOpen(fd)).toBe(false);
  await guarded.close();
});
