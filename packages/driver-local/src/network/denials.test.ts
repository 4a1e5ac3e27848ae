import type { NetworkDenial } from '@sandport/driver';
import { sandboxIdSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { Denials } from './denials.ts';

const sandbox = sandboxIdSchema.parse('3f6c1b9e-0d1a-4c5b-9f0e-2a7d4e8b1c23');
const other = sandboxIdSchema.parse('3f6c1b9e-0d1a-4c5b-9f0e-2a7d4e8b1c24');

test('tells some a second of each sandbox, the same only once, and how many it left out', () => {
  const told: NetworkDenial[] = [];
  using denials = new Denials({ sandboxAt: () => undefined, nameOf: () => undefined });
  denials.listen((denial) => told.push(denial));
  for (let round = 0; round < 3; round++)
    denials.tell(sandbox, { protocol: 'dns', name: 'same.test' });
  denials.tell(sandbox, { protocol: 'dns', name: 'next.test' });
  expect(told.map(({ name, leftOut }) => [name, leftOut])).toEqual([
    ['same.test', 0],
    ['next.test', 2],
  ]);
  for (let port = 1; port <= 1000; port++)
    denials.tell(sandbox, { protocol: 'tcp', destination: '10.0.0.1', port });
  expect(told.length).toBeLessThanOrEqual(20);
  denials.tell(other, { protocol: 'icmp', destination: '10.0.0.1' });
  expect(told.at(-1)).toEqual({
    sandbox: other,
    protocol: 'icmp',
    destination: '10.0.0.1',
    leftOut: 0,
  });
});
