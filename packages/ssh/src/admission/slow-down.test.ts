import { expect, test } from 'vitest';
import { SlowDown, sourceOf } from './slow-down.ts';

test('each wrong attempt is answered later than the last, up to a limit, until it is forgotten', () => {
  let now = 0;
  const slowDown = new SlowDown({
    firstDelayMs: 10,
    maxDelayMs: 50,
    forgetAfterMs: 100,
    now: () => now,
  });
  const delays = () => slowDown.fail('192.0.2.1').delayMs;
  expect([delays(), delays(), delays(), delays(), delays()]).toEqual([10, 20, 40, 50, 50]);
  expect(slowDown.fail('192.0.2.2').delayMs).toBe(10);
  now = 100;
  expect(delays()).toBe(10);
});

test('only so many addresses are remembered: those that were seen last', () => {
  const slowDown = new SlowDown({ firstDelayMs: 10, maxAddresses: 3 });
  for (let count = 0; count < 100; count++) slowDown.fail(`192.0.2.${count}`);
  expect(slowDown.size).toBe(3);
  expect(slowDown.fail('192.0.2.99').delayMs).toBe(20);
  expect(slowDown.fail('192.0.2.0').delayMs).toBe(10);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:0:1:aaaa::1', '2001:db8:0:1'],
  ['2001:db8:0:1:bbbb:2:3:4', '2001:db8:0:1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', ''],
])('the source of %s is %s', (address, source) => expect(sourceOf(address)).toBe(source));
