import { type Ipv4Network, overlaps, parseIpv4, sizeOf } from '@sandport/protocol';

/** Shortest prefix of a rule for addresses. */
const shortestPrefix = 8;

/** An IPv4 block, whatever bits are set behind its prefix; undefined for anything else. */
export function parseBlock(text: string): Ipv4Network | undefined {
  const [address = '', length = '', rest] = text.split('/');
  const base = parseIpv4(address);
  if (base === undefined || rest !== undefined || !/^(\d|[12]\d|3[0-2])$/.test(length))
    return undefined;
  const prefix = Number(length);
  return { base: base - (base % sizeOf({ base, prefix })), prefix };
}

export const contains = (outer: Ipv4Network, inner: Ipv4Network): boolean =>
  inner.prefix >= outer.prefix && overlaps(outer, inner);

/**
 * What of a block is in none of the others, as blocks that rules can have.
 * @param most after which it gives up: undefined
 */
export function without(
  block: Ipv4Network,
  others: readonly Ipv4Network[],
  most: number,
): readonly Ipv4Network[] | undefined {
  const left: Ipv4Network[] = [];
  const open: [Ipv4Network, readonly Ipv4Network[]][] = [[block, others]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [each, all] = next;
    const holes = all.filter((other) => overlaps(each, other));
    if (holes.some((hole) => contains(hole, each))) continue;
    if (holes.length > 0 || each.prefix < shortestPrefix) {
      const prefix = each.prefix + 1;
      const half = { base: each.base, prefix };
      open.push([{ base: each.base + sizeOf(half), prefix }, holes], [half, holes]);
    } else if (left.push(each) > most) return undefined;
  }
  return left;
}
