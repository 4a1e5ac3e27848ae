import { randomInt } from 'node:crypto';
import dnsPacket from 'dns-packet';
import type { Answer, Packet, RecordType } from 'dns-packet';

/** What a guest asks. */
export interface DnsQuestion {
  readonly id: number;
  /** In lower case, of letters, digits, `-`, `_` and dots. */
  readonly name: string;
  readonly type: RecordType;
}

/** An answer to whoever asked upstream. */
export interface DnsReply {
  readonly code: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED';
  readonly answers: readonly Answer[];
}

/** Beside addresses, what is passed on. */
const passedTypes: ReadonlySet<string> = new Set(['A', 'TXT', 'MX', 'SRV', 'CNAME']);
const mostAnswers = 40;
/** What a resolver may send in one datagram. */
const datagramBytes = 1232;
const codes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** Whether a question of this type is asked upstream; others have no answer inside. */
export const isPassedType = (type: RecordType): boolean => passedTypes.has(type);

/** Reads a guest's message; undefined when it is not one plain question. */
export function readQuestion(message: Buffer): DnsQuestion | undefined {
  const packet = decode(message);
  const question = packet?.questions?.[0];
  if (!packet || !question || packet.questions?.length !== 1) return undefined;
  if (packet.type !== 'query' || ((packet.flags ?? 0) & 0x7800) !== 0) return undefined;
  const name = question.name.toLowerCase().replace(/\.$/, '');
  if (name.length > 253 || !/^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(name)) return undefined;
  return { id: packet.id ?? 0, name, type: question.type };
}

/** The message to a resolver, with an id of its own. */
export function upstreamQuestion(name: string, type: RecordType): { id: number; bytes: Buffer } {
  const id = randomInt(65_536);
  const bytes = dnsPacket.encode({
    type: 'query',
    id,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: datagramBytes,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  return { id, bytes };
}

/** Whether a message answers the question with that id; `truncated`: it has to be asked over TCP. */
export function judgeAnswer(
  message: Buffer,
  id: number,
  name: string,
  type: RecordType,
): 'yes' | 'no' | 'truncated' {
  const packet = decode(message);
  const question = packet?.questions?.[0];
  if (!packet || packet.type !== 'response' || packet.id !== id) return 'no';
  if (question?.name.toLowerCase() !== name || question.type !== type) return 'no';
  return ((packet.flags ?? 0) & dnsPacket.TRUNCATED_RESPONSE) === 0 ? 'yes' : 'truncated';
}

/** What a resolver has said, without what nobody has asked for. */
export function readReply(message: Buffer, type: RecordType): DnsReply {
  const packet = decode(message);
  if (!packet) return { code: 'SERVFAIL', answers: [] };
  const rcode = (packet.flags ?? 0) & 15;
  if (rcode === codes.NXDOMAIN) return { code: 'NXDOMAIN', answers: [] };
  if (rcode !== 0) return { code: 'SERVFAIL', answers: [] };
  const answers = (packet.answers ?? []).filter(
    (answer) => answer.type === type || answer.type === 'CNAME',
  );
  return { code: 'NOERROR', answers: answers.slice(0, mostAnswers) };
}

/** The message to the guest; one that is too long for a datagram says so. */
export function writeReply(
  { id, name, type }: DnsQuestion,
  { code, answers }: DnsReply,
  { overTcp }: { overTcp: boolean },
): Buffer {
  const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | codes[code];
  const questions: Packet['questions'] = [{ name, type, class: 'IN' }];
  const whole = dnsPacket.encode({ type: 'response', id, flags, questions, answers: [...answers] });
  // A resolver inside may know nothing of longer ones.
  if (overTcp || whole.length <= 512) return whole;
  const cut = flags | dnsPacket.TRUNCATED_RESPONSE;
  return dnsPacket.encode({ type: 'response', id, flags: cut, questions, answers: [] });
}

/** Undefined for what is no message: it comes from a guest or from elsewhere. */
function decode(message: Buffer) {
  try {
    return dnsPacket.decode(message);
  } catch {
    return undefined;
  }
}
