import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, isIP } from 'node:net';
import type { AddressAndPort } from '../options.ts';

/** How long one server is waited for. */
const timeoutMs = 2000;
/** Largest answer over TCP. */
const mostBytes = 65_535;

/** Resolvers of this machine, as its resolv.conf names them. */
export function machineResolvers(file = '/etc/resolv.conf'): AddressAndPort[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // A machine without one resolves nothing.
  }
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .map(([, address = '']) => ({ address: address.replace(/%.*$/, ''), port: 53 }))
    .filter(({ address }) => isIP(address) !== 0)
    .slice(0, 3);
}

/**
 * Sends a question to the servers, one after the other, until one answers. Each goes from a port of
 * its own, so that an answer is hard to forge.
 * @throws Error when none has answered
 */
export async function askUpstream(
  question: Buffer,
  servers: readonly AddressAndPort[],
  isAnswer: (answer: Buffer) => 'yes' | 'no' | 'truncated',
): Promise<Buffer> {
  for (const server of servers) {
    const answer = await askOverUdp(question, server, isAnswer).catch(() => undefined);
    if (answer === undefined) continue;
    if (isAnswer(answer) === 'yes') return answer;
    const whole = await askOverTcp(question, server).catch(() => undefined);
    if (whole !== undefined && isAnswer(whole) === 'yes') return whole;
  }
  throw new Error('no resolver of this machine has answered');
}

function askOverUdp(
  question: Buffer,
  { address, port }: AddressAndPort,
  isAnswer: (answer: Buffer) => string,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
    const timer = setTimeout(() => end(new Error('no answer')), timeoutMs);
    let isOver = false;
    const end = (result: Buffer | Error) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.close();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    socket.on('message', (message) => {
      if (isAnswer(message) !== 'no') end(message);
    });
    socket.on('error', end);
    // Where no way leads to it, this is called with the reason.
    socket.connect(port, address, (error?: Error) => {
      if (error) end(error);
      else socket.send(question);
    });
  });
}

function askOverTcp(question: Buffer, { address, port }: AddressAndPort): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, timeout: timeoutMs });
    let received = Buffer.alloc(0);
    const fail = () => {
      socket.destroy();
      reject(new Error('no answer'));
    };
    const timer = setTimeout(fail, timeoutMs * 2);
    socket.once('connect', () => socket.write(withLength(question)));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length > mostBytes + 2) return fail();
      const size = received.length < 2 ? mostBytes : received.readUInt16BE(0);
      if (received.length < size + 2) return;
      socket.destroy();
      resolve(received.subarray(2, size + 2));
    });
    socket.once('timeout', fail).once('error', fail).once('end', fail);
    socket.once('close', () => clearTimeout(timer));
  });
}

/** As DNS goes over TCP. */
export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
