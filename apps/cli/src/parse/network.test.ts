import { describe, expect, it } from 'vitest';
import { network } from './network.ts';

describe('networks on the command line', () => {
  it.each([
    ['none', { egress: 'none' }],
    ['all', { egress: 'all' }],
    ['all,10.0.0.0/8', { egress: 'all', allow: ['10.0.0.0/8'] }],
    ['allow=a.test, *.b.test:443', { egress: 'allowlist', allow: ['a.test', '*.b.test:443'] }],
  ])('reads %s', (text, value) => {
    expect(network(text)).toEqual(value);
  });

  it.each(['', 'some', 'allow', 'allow=', 'allow=a,,b', 'all,'])('refuses "%s"', (text) => {
    expect(() => network(text)).toThrow('It must be none, all');
  });
});
