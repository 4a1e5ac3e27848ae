import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Sandbox } from 'sandport';
import { ByteClient } from '../http-client.ts';
import { interleave, medianOf, timeMs } from '../statistics.ts';
import { memoryGrowthMib, type Row } from '../subject.ts';

const path = '/home/user/large.bin';

/** Upload and download of a large file: the floor, the daemon with the same client, the SDK. */
export const largeFiles: Row = {
  name: 'large',
  async measure(subject, options) {
    const [isolation] = subject.isolations;
    await using sandbox = await Sandbox.create({ isolation }, subject);
    const { sizeMib } = options;
    const sizeBytes = sizeMib * 1024 * 1024;
    const headers = { authorization: `Bearer ${subject.apiKey}` };
    const floor = new ByteClient({ baseUrl: subject.floorUrl, headers: {} });
    const daemon = new ByteClient({
      baseUrl: `${subject.url}/v1/sandboxes/${sandbox.id}/fs`,
      headers,
    });
    const local = join(subject.workDir, 'large.bin');
    const growth = {
      daemon: { up: [] as number[], down: [] as number[] },
      floor: { up: [] as number[], down: [] as number[] },
    };
    /** MiB a second, from a disk that has nothing left to write when the clock starts. */
    const rate = async (work: () => Promise<unknown>) => {
      execFileSync('sync', ['-f', subject.workDir]);
      return (sizeMib * 1000) / (await timeMs(work));
    };
    const pids = { daemon: subject.daemonPid, floor: subject.floorPid };
    const watched = (
      server: 'daemon' | 'floor',
      direction: 'up' | 'down',
      work: () => Promise<unknown>,
    ) =>
      rate(async () => {
        growth[server][direction].push(await memoryGrowthMib(pids[server], work));
      });
    const rounds = { warmUps: 1, rounds: options.quick ? 1 : 5 };
    const ups = await interleave(
      [
        { name: 'floor', run: () => watched('floor', 'up', () => floor.put(path, sizeBytes)) },
        { name: 'daemon', run: () => watched('daemon', 'up', () => daemon.put(path, sizeBytes)) },
      ],
      rounds,
    );
    const downs = await interleave(
      [
        { name: 'floor', run: () => watched('floor', 'down', () => floor.get(path)) },
        { name: 'daemon', run: () => watched('daemon', 'down', () => daemon.get(path)) },
      ],
      rounds,
    );
    const sdk = await interleave(
      [
        { name: 'down', run: () => rate(() => sandbox.files.download(path, local)) },
        { name: 'up', run: () => rate(() => sandbox.files.upload(local, path)) },
      ],
      { ...rounds, warmUps: 2 },
    );
    await rm(local);
    floor.close();
    daemon.close();
    const size = sizeMib % 1024 === 0 ? `${sizeMib / 1024} GiB` : `${sizeMib} MiB`;
    const throughput = { unit: 'MiB/s', higherIsBetter: true } as const;
    const budget = { of: 'floor', limit: 0.8 } as const;
    const memory = { unit: 'MiB', budget: { of: 'value', limit: 32 } } as const;
    const floorUp = medianOf(ups, 'floor');
    const floorDown = medianOf(downs, 'floor');
    return [
      {
        operation: `upload ${size}`,
        value: medianOf(ups, 'daemon'),
        floor: floorUp,
        ...throughput,
        budget,
      },
      {
        operation: `download ${size}`,
        value: medianOf(downs, 'daemon'),
        floor: floorDown,
        ...throughput,
        budget,
      },
      {
        operation: 'daemon memory growth, upload',
        value: Math.max(...growth.daemon.up),
        floor: Math.max(...growth.floor.up),
        ...memory,
      },
      {
        operation: 'daemon memory growth, download',
        value: Math.max(...growth.daemon.down),
        floor: Math.max(...growth.floor.down),
        ...memory,
      },
      {
        operation: `upload ${size}, TypeScript SDK`,
        value: medianOf(sdk, 'up'),
        floor: floorUp,
        ...throughput,
      },
      {
        operation: `download ${size}, TypeScript SDK`,
        value: medianOf(sdk, 'down'),
        floor: floorDown,
        ...throughput,
      },
    ];
  },
};
