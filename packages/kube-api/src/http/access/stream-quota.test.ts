import { expect, it } from 'vitest';
import { StreamQuota } from './stream-quota.ts';

const alice = { name: 'alice', groups: [] };
const bob = { name: 'bob', groups: [] };
const never = () => new Promise<void>(() => {});

it('bounds what each caller has open, and counts what has ended no more', async () => {
  const quota = new StreamQuota(2);
  let end = () => {};
  const first = quota.during(alice, () => new Promise<void>((resolve) => (end = resolve)));
  void quota.during(alice, never);
  await expect(quota.during(alice, never)).rejects.toThrow('alice has 2 connections to pods open');
  void quota.during(bob, never);
  end();
  await first;
  await quota.during(alice, async () => {});
  await expect(quota.during(alice, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  void quota.during(alice, never);
  await expect(quota.during(alice, never)).rejects.toThrow('close some first');
});
