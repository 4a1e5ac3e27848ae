import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatIpv4, type Ipv4Network, parseNetwork } from '@sandport/protocol';
import type { Layout } from '../layout.ts';
import type { Log } from '../options.ts';
import { type HeldBlock, takeBlock } from './blocks.ts';
import type { Denials } from './denials.ts';
import { type DnsListener, listenForQuestions } from './dns/listen.ts';
import type { Resolver } from './dns/resolver.ts';
import { addGateway, removeGateway, removeInterface } from './interfaces.ts';
import { allowForwarding, isForwarding } from './machine.ts';
import { interfacePrefixOf, type NetworkNames, networkNames } from './names.ts';
import { runNft } from './programs.ts';
import { baseRules } from './ruleset.ts';

/** Of RFC 2544, for tests of networks: no host of the internet has one. */
export const defaultRange: Ipv4Network = parseNetwork('198.18.0.0/15') ?? { base: 0, prefix: 32 };

export interface OpenBaseOptions {
  readonly layout: Layout;
  readonly range: Ipv4Network;
  readonly resolver: Resolver;
  readonly denials: Denials;
  readonly log: Log;
}

/** What all networks of a driver stand on, in the kernel and in this process. */
export interface NetworkBase extends AsyncDisposable {
  readonly names: NetworkNames;
}

/** There while the kernel may have something of ours. */
const markerOf = ({ runDir }: Layout) => join(runDir, 'network');

/** Whether this driver, or the one before it, has given a sandbox a network since the machine's start. */
export const isMarked = ({ runDir }: Layout): boolean => listNames(runDir).includes('network');

/**
 * Makes it, or takes it over; what single sandboxes have in the kernel stays as it is. Disposing of
 * it leaves the kernel's part. @throws Error with the reason
 */
export async function openBase(options: OpenBaseOptions): Promise<NetworkBase> {
  const { layout, range, resolver, denials, log } = options;
  const held = await takeBlock({ range, hash: layout.hash, file: join(layout.dataDir, 'network') });
  const names = networkNames(layout.hash, held.block);
  let listener: DnsListener | undefined;
  try {
    if (!isForwarding()) {
      allowForwarding();
      log('info', 'turned on net.ipv4.ip_forward for the networks of sandboxes');
    }
    writeFileSync(markerOf(layout), formatIpv4(held.block.base), { mode: 0o600 });
    await addGateway(names);
    listener = await listenForQuestions(names.gateway, resolver);
    const logGroup = denials.open(1 + (Number.parseInt(layout.hash.slice(0, 8), 16) % 65_000));
    const rules = { names, range, resolver: listener, logGroup };
    await runNft(baseRules(rules)).catch(async (error: unknown) => {
      await runNft(baseRules({ ...rules, shorten: false }));
      log('warn', 'the kernel remembers ended connections for as long as those of others', {
        error: String(error),
      });
    });
  } catch (error) {
    await close(held, listener, denials);
    throw error;
  }
  return { names, [Symbol.asyncDispose]: () => close(held, listener, denials) };
}

/** Takes everything of a driver's networks out of the kernel, whoever made it. Never throws. */
export async function removeFromKernel(layout: Layout): Promise<void> {
  // No interface is there for a moment without its rules.
  for (const name of strayInterfaces(layout, new Set())) await removeInterface(name);
  await runNft(`delete table inet ${networkNames(layout.hash, defaultRange).table}\n`).catch(
    () => undefined,
  );
  const block = parseNetwork(readText(join(layout.dataDir, 'network')));
  if (block !== undefined) await removeGateway(networkNames(layout.hash, block));
  rmSync(markerOf(layout), { force: true });
}

/** Interfaces of this driver that are none of `known`. */
export const strayInterfaces = ({ hash }: Layout, known: ReadonlySet<string>): string[] =>
  listNames('/sys/class/net').filter(
    (name) => name.startsWith(interfacePrefixOf(hash)) && !known.has(name),
  );

async function close(
  held: HeldBlock,
  listener: DnsListener | undefined,
  denials: Denials,
): Promise<void> {
  denials[Symbol.dispose]();
  await listener?.[Symbol.asyncDispose]();
  held[Symbol.dispose]();
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
