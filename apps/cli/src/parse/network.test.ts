import { describe, expect, it } from 'vitest';
import { network, networkBound } from './network.ts';

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

  it.each([
    ['allow', { egress: 'allowlist' }],
    ['allow=a.test', { egress: 'allowlist', allow: ['a.test'] }],
    ['none', { egress: 'none' }],
  ])('reads the bound %s', (text, value) => {
    expect(networkBound(text)).toEqual(value);
  });

  it.each(['', 'allow=', 'all,10.0.0.0/8'])('refuses the bound "%s"', (text) => {
    expect(() => networkBound(text)).toThrow('It must be none, all');
  });
});
