import { z } from 'zod';
import type { NetworkNames } from './names.ts';
import { listTable, runNft } from './programs.ts';

const listingSchema = z.object({
  nftables: z.array(
    z.object({
      chain: z.object({ name: z.string() }).optional(),
      set: z.object({ name: z.string() }).optional(),
      map: z.object({ name: z.string(), elem: z.array(z.unknown()).optional() }).optional(),
    }),
  ),
});

/**
 * Removes the rules of sandboxes that nobody knows.
 * @param known names of the chains that stay @throws Error
 */
export async function removeStrayGuests(
  { table }: NetworkNames,
  known: ReadonlySet<string>,
): Promise<void> {
  const { nftables } = listingSchema.parse(JSON.parse(await listTable(table)));
  const isStray = (name: string) =>
    /^(guest|pinned|ports)_[0-9a-f]+$/.test(name) &&
    !known.has(`guest_${name.slice(name.indexOf('_') + 1)}`);
  const chains = nftables.flatMap(({ chain }) =>
    chain && isStray(chain.name) ? [chain.name] : [],
  );
  const sets = nftables.flatMap(({ set }) => (set && isStray(set.name) ? [set.name] : []));
  if (chains.length + sets.length === 0) return;
  const entries = nftables.flatMap(({ map }) => (map?.name === 'guests' ? (map.elem ?? []) : []));
  const interfaces = entries.flatMap((entry) => {
    const pair = z.tuple([z.string(), z.object({ goto: z.object({ target: z.string() }) })]);
    const parsed = pair.safeParse(entry);
    return parsed.success && chains.includes(parsed.data[1].goto.target) ? [parsed.data[0]] : [];
  });
  await runNft(
    [
      ...interfaces.map((name) => `delete element inet ${table} guests { "${name}" }`),
      ...chains.map((name) => `delete chain inet ${table} ${name}`),
      ...sets.map((name) => `delete set inet ${table} ${name}`),
      '',
    ].join('\n'),
  );
}
