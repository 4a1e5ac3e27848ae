import {
  isForName,
  isPublicAddress,
  isWithin,
  type NetworkRule,
  parseIpv4,
} from '@sandport/protocol';
import type { Answer, RecordType } from 'dns-packet';
import type { GuestNames } from '../names.ts';
import type { AddressAndPort } from '../options.ts';
import type { AnsweredNames } from './answered-names.ts';
import { AnswerCache } from './answer-cache.ts';
import { type DnsQuestion, type DnsReply, isPassedType, judgeAnswer } from './messages.ts';
import { readQuestion, readReply, upstreamQuestion, writeReply } from './messages.ts';
import { leastPinSeconds, mostPinSeconds, type Pins } from './pins.ts';
import { askUpstream } from './upstream.ts';

/** Who asks, and what it may know. */
export interface Asker {
  readonly guest: GuestNames;
  readonly egress: 'none' | 'allowlist' | 'all';
  readonly rules: readonly NetworkRule[];
}

export interface ResolverOptions {
  readonly servers: () => readonly AddressAndPort[];
  readonly pins: Pins;
  readonly answered: AnsweredNames;
  /** The sandbox with this address. */
  readonly askerAt: (address: string) => Asker | undefined;
  readonly onDenied: (guest: GuestNames, name: string) => void;
}

/** Questions of one sandbox that are looked at in a second, however they come. */
const mostASecond = 200;
/** Questions that are asked upstream at one time, of one sandbox and of all. */
const mostOfOne = 32;
const mostOfAll = 512;

const nothing: DnsReply = { code: 'NOERROR', answers: [] };
const failed: DnsReply = { code: 'SERVFAIL', answers: [] };

/**
 * Answers the questions of sandboxes: names that a policy does not allow do not exist, addresses of
 * those that it allows are opened before the answer goes out, and addresses that are not of the
 * public internet are left out of answers.
 */
export class Resolver {
  readonly #options: ResolverOptions;
  readonly #cache = new AnswerCache();
  readonly #asking = new Map<string, number>();
  /** Sandbox by its address → questions of this second. */
  readonly #lately = new Map<string, number>();
  #secondBegan = 0;
  #askingOfAll = 0;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** The reply to a message; undefined: none. Never throws. */
  async answer(
    message: Buffer,
    from: string,
    transport: { overTcp: boolean },
  ): Promise<Buffer | undefined> {
    const asker = this.#options.askerAt(from);
    const question = readQuestion(message);
    if (asker === undefined || question === undefined || this.#isTooMuch(from)) return undefined;
    const reply = await this.#reply(asker, question).catch(() => failed);
    try {
      return writeReply(question, reply, transport);
    } catch {
      return writeReply(question, failed, transport);
    }
  }

  #isTooMuch(from: string): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#secondBegan > 1000) {
      this.#lately.clear();
      this.#secondBegan = nowMs;
    }
    const count = (this.#lately.get(from) ?? 0) + 1;
    this.#lately.set(from, count);
    return count > mostASecond;
  }

  async #reply(asker: Asker, { name, type }: DnsQuestion): Promise<DnsReply> {
    const { guest, egress, rules } = asker;
    if (egress === 'none') return { code: 'REFUSED', answers: [] };
    const allowing = rules.filter((rule) => isForName(rule, name));
    // A port that is open everywhere is open at every name.
    const opensAny = rules.some(({ kind }) => kind === 'port');
    if (egress === 'allowlist' && allowing.length === 0 && !opensAny) {
      this.#options.onDenied(guest, name);
      return { code: 'NXDOMAIN', answers: [] };
    }
    if (!isPassedType(type)) return nothing;
    const reply = this.#cache.get(name, type) ?? (await this.#ask(guest, name, type));
    const answers = reply.answers.filter((answer) => mayKnow(answer, rules));
    for (const answer of answers)
      if (answer.type === 'A') this.#options.answered.remember(guest.address, answer.data, name);
    const seconds = pinSeconds(answers);
    if (egress === 'allowlist') await this.#open(guest, name, answers, allowing, seconds);
    // Nobody keeps an address for longer than it is open.
    return { ...reply, answers: answers.map((answer) => withTtl(answer, seconds)) };
  }

  async #open(
    guest: GuestNames,
    name: string,
    answers: readonly Answer[],
    rules: readonly NetworkRule[],
    seconds: number,
  ): Promise<void> {
    const addresses = answers.flatMap((answer) => (answer.type === 'A' ? [answer.data] : []));
    const ports = new Set(rules.map(({ port }) => port));
    // One rule without a port opens them all.
    const wanted = ports.has(undefined) ? [undefined] : [...ports];
    const targets = addresses.flatMap((address) => wanted.map((port) => ({ address, port })));
    await this.#options.pins.open(guest, name, targets, seconds);
  }

  async #ask({ chain }: GuestNames, name: string, type: RecordType): Promise<DnsReply> {
    const mine = this.#asking.get(chain) ?? 0;
    if (mine >= mostOfOne || this.#askingOfAll >= mostOfAll) return failed;
    this.#asking.set(chain, mine + 1);
    this.#askingOfAll++;
    try {
      const { id, bytes } = upstreamQuestion(name, type);
      const answer = await askUpstream(bytes, this.#options.servers(), (each) =>
        judgeAnswer(each, id, name, type),
      );
      const reply = readReply(answer, type);
      this.#cache.put(name, type, reply, answer.length);
      return reply;
    } finally {
      this.#askingOfAll--;
      const left = (this.#asking.get(chain) ?? 1) - 1;
      if (left === 0) this.#asking.delete(chain);
      else this.#asking.set(chain, left);
    }
  }
}

/** A name of an outsider must not lead to addresses inside, unless a rule opens those anyway. */
function mayKnow(answer: Answer, rules: readonly NetworkRule[]): boolean {
  if (answer.type !== 'A') return true;
  const address = parseIpv4(answer.data);
  if (address === undefined) return false;
  return (
    isPublicAddress(address) ||
    rules.some((rule) => rule.kind === 'addresses' && isWithin(address, rule.network))
  );
}

/** The shortest time of the records, within bounds. */
function pinSeconds(answers: readonly Answer[]): number {
  const times = answers.map((answer) => ('ttl' in answer ? (answer.ttl ?? 0) : 0));
  return Math.min(Math.max(Math.min(...times), leastPinSeconds), mostPinSeconds);
}

const withTtl = (answer: Answer, seconds: number): Answer =>
  'ttl' in answer ? { ...answer, ttl: Math.min(answer.ttl ?? 0, seconds) } : answer;
