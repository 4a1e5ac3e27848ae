import fc from 'fast-check';
import { expect, it } from 'vitest';
import { beyondBound, covers, withinBound } from './bound.ts';
import { setNamespaceNetworkSchema } from './namespace-network.ts';
import { type Network, networkSchema } from './network.ts';
import { parseNetworkRule } from './rule.ts';

it.each([
  ['a.test', 'a.test', true],
  ['a.test', 'a.test:443', true],
  ['a.test:443', 'a.test', false],
  ['a.test:443', 'a.test:80', false],
  ['a.test', 'b.a.test', false],
  ['a.test', '*.a.test', false],
  ['*.a.test', 'b.a.test', true],
  ['*.a.test', '*.a.test', true],
  ['*.a.test', '*.b.a.test', true],
  ['*.a.test', 'a.test', false],
  ['*.a.test', 'ba.test', false],
  ['*.b.a.test', '*.a.test', false],
  ['1.2.0.0/16', '1.2.3.0/24', true],
  ['1.2.0.0/16', '1.2.3.4:80', true],
  ['1.2.3.0/24', '1.2.0.0/16', false],
  ['1.2.3.0/24:80', '1.2.3.4', false],
  ['1.2.3.0/24', '1.2.4.0/24', false],
  ['1.2.3.4', 'a.test', false],
  ['a.test', '1.2.3.4', false],
  ['*:443', 'a.test:443', true],
  ['*:443', '*.a.test:443', true],
  ['*:443', '1.2.3.4:443', true],
  ['*:443', '10.0.0.0/8:443', false],
  ['*:443', '*:443', true],
  ['*:443', '*:443/tcp', true],
  ['*:443/tcp', '*:443', false],
  ['*:443/tcp', '1.2.3.4:443/tcp', true],
  ['*:443/tcp', '1.2.3.4:443/udp', false],
  ['*:443/tcp', 'a.test:443', false],
  ['1.2.3.4', '1.2.3.4:53/udp', true],
  ['*:443', '*:80', false],
  ['*:443', 'a.test', false],
  ['a.test:443', '*:443', false],
])('%s covers %s: %s', (outer, inner, expected) => {
  expect(covers(parseNetworkRule(outer), parseNetworkRule(inner))).toBe(expected);
});

const all: Network = { egress: 'all' };
const listed: Network = { egress: 'allowlist', allow: ['a.test', 'b.test'], bandwidth_mbps: 5 };

it('names what is beyond a bound', () => {
  expect(beyondBound(all, { egress: 'all' })).toBeUndefined();
  expect(beyondBound(all, { egress: 'allowlist' })).toBe('egress "all"');
  expect(beyondBound(listed, { egress: 'none' })).toBe('egress "allowlist"');
  expect(beyondBound(listed, { egress: 'allowlist' })).toBeUndefined();
  const bound = { egress: 'allowlist', allow: ['a.test'] } as const;
  expect(beyondBound(listed, bound)).toBe('the rule "b.test"');
  expect(beyondBound({ egress: 'none' }, { egress: 'none' })).toBeUndefined();
});

it('leaves of a network what is within a bound', () => {
  const bound = { egress: 'allowlist', allow: ['a.test'] } as const;
  expect(withinBound(listed, bound)).toEqual({ ...listed, allow: ['a.test'] });
  expect(withinBound(all, bound)).toEqual({ egress: 'none' });
  expect(withinBound(listed, { egress: 'none' })).toEqual({ egress: 'none' });
  const more: Network = { egress: 'all', allow: ['10.0.0.0/8'] };
  expect(withinBound(more, { egress: 'allowlist' })).toEqual({ ...more, egress: 'allowlist' });
});

it('is left a network that is one, and within the bound', () => {
  const rule = fc.constantFrom(
    'a.test',
    '*.a.test',
    'b.a.test:80',
    '1.2.3.0/24',
    '1.2.3.4',
    '*:80',
  );
  const rules = fc.uniqueArray(rule, { minLength: 1 });
  fc.assert(
    fc.property(rules, rules, fc.constantFrom('none', 'allowlist'), (allow, most, egress) => {
      const bound = egress === 'none' ? ({ egress } as const) : { egress, allow: most };
      const left = withinBound({ egress: 'allowlist', allow }, bound);
      expect(beyondBound(left, bound)).toBeUndefined();
      expect(networkSchema.safeParse(left).success).toBe(true);
    }),
  );
});

it.each([
  [{ max_allow: ['a.test'] }, 'max_allow'],
  [{ max_egress: 'allowlist', max_allow: [] }, 'max_allow'],
  [{ max_egress: 'none', default: { egress: 'all' } }, 'default'],
  [{ max_egress: 'allowlist', max_allow: ['a.test'], default: listed }, 'default'],
  [{ default: { egress: 'allowlist' } }, 'default.allow'],
])('refuses the networks %j of a namespace', (body, field) => {
  const { error } = setNamespaceNetworkSchema.safeParse(body);
  expect(error?.issues[0]?.path.join('.')).toBe(field);
});
