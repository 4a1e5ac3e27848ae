import { createHash, type Hash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { Sandbox } from 'sandport';
import { bytesOfSize } from '../http-client.ts';
import type { Measurement } from '../report.ts';
import { timeMs } from '../statistics.ts';
import { memoryGrowthMib } from '../subject.ts';
import { echoPort } from './web-server.ts';

const MiB = 1024 * 1024;
const atOnce = 50;

export interface TunnelOptions {
  readonly isolation: string;
  readonly daemonPid: number;
  readonly sizeInMib: number;
}

/** TCP connections to a program that sends all back: one with many bytes, and many at one time. */
export async function tunnels(
  sandbox: Sandbox,
  { isolation, daemonPid, sizeInMib }: TunnelOptions,
): Promise<Measurement[]> {
  let value = 0;
  const growth = await memoryGrowthMib(daemonPid, async () => {
    value = (sizeInMib * 1000) / (await timeMs(() => echo(sandbox, sizeInMib * MiB)));
  });
  const many = await timeMs(() =>
    Promise.all(Array.from({ length: atOnce }, () => echo(sandbox, MiB))),
  );
  return [
    {
      operation: `TCP, ${sizeInMib} MiB there and back, ${isolation}`,
      value,
      unit: 'MiB/s',
      higherIsBetter: true,
      note: `its hash is checked; the daemon grew by ${growth.toFixed(0)} MiB`,
    },
    {
      operation: `${atOnce} TCP connections at once, 1 MiB there and back each, ${isolation}`,
      value: many,
      unit: 'ms',
      note: 'their hashes are checked',
    },
  ];
}

async function echo(sandbox: Sandbox, sizeBytes: number): Promise<void> {
  const connection = await sandbox.ports.connect(echoPort);
  const sent = createHash('sha256');
  const came = createHash('sha256');
  await Promise.all([
    pipeline(bytesOfSize(sizeBytes), hashing(sent), connection),
    pipeline(connection, hashing(came), async (bytes) => {
      for await (const chunk of bytes) void chunk;
    }),
  ]);
  if (sent.digest('hex') !== came.digest('hex')) throw new Error('other bytes came back');
}

const hashing = (hash: Hash) =>
  async function* (bytes: AsyncIterable<Buffer>) {
    for await (const chunk of bytes) {
      hash.update(chunk);
      yield chunk;
    }
  };
