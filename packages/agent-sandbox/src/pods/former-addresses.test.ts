import { expect, test } from 'vitest';
import { keys } from '../resources/keys.ts';
import { formerAddresses } from './former-addresses.ts';

const row = (object: unknown, resource: string = keys.sandboxes) => ({
  resource,
  namespace: 'default',
  name: 'x',
  object: typeof object === 'string' ? object : JSON.stringify(object),
});

test('addresses of Sandbox objects, whatever else stands in the table', () => {
  const rows = [
    row({ status: { podIPs: ['127.70.0.16'] } }),
    row({ status: { podIPs: ['127.70.0.16', 7, null] } }),
    row({ status: { podIPs: ['127.70.0.17'] } }, keys.claims),
    row({ status: { podIPs: '127.70.0.18' } }),
    row({ status: null }),
    row('[1]'),
    row('{half'),
  ];
  expect(formerAddresses({ all: () => rows })).toEqual(['127.70.0.16']);
});
