import { expect, test } from 'vitest';
import { HeldBytes } from './held-bytes.ts';

const refused = expect.objectContaining({ code: 'limit_reached' });

test('a key holds so much at one time, and others as much beside it', () => {
  const held = new HeldBytes({ keyLimitBytes: 100 });
  const first = held.share({ keyId: 'a' });
  first.take(60);
  const second = held.share({ keyId: 'a' });
  expect(() => second.take(41)).toThrow(refused);
  second.take(40);
  held.share({ keyId: 'b' }).take(100);
  first[Symbol.dispose]();
  second.take(60);
  expect(() => second.take(1)).toThrow(refused);
});

test('all keys together hold so much', () => {
  const held = new HeldBytes({ keyLimitBytes: 10, limitBytes: 15 });
  held.share({ keyId: 'a' }).take(10);
  const other = held.share({ keyId: 'b' });
  expect(() => other.take(6)).toThrow(/all keys/);
  other.take(5);
});

test('what is over takes nothing and gives nothing back twice', () => {
  const held = new HeldBytes({ keyLimitBytes: 10 });
  const over = held.share({ keyId: 'a' });
  over.take(10);
  over[Symbol.dispose]();
  over[Symbol.dispose]();
  over.take(10);
  const next = held.share({ keyId: 'a' });
  next.take(10);
  expect(() => next.take(1)).toThrow(refused);
});
