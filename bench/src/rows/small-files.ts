import { Sandbox } from 'sandport';
import { ByteClient } from '../http-client.ts';
import { interleave, medianOf, timeMs } from '../statistics.ts';
import { type Row } from '../subject.ts';

const sizeBytes = 1024;
const path = '/home/user/small.bin';

/** Write and read 1 KiB: the floor, the daemon with the same plain client, and the SDK. */
export const smallFiles: Row = {
  name: 'small',
  async measure(subject, options) {
    const [isolation] = subject.isolations;
    await using sandbox = await Sandbox.create({ isolation }, subject);
    const headers = { authorization: `Bearer ${subject.apiKey}` };
    const floor = new ByteClient({ baseUrl: subject.floorUrl, headers: {} });
    const daemon = new ByteClient({
      baseUrl: `${subject.url}/v1/sandboxes/${sandbox.id}/fs`,
      headers,
    });
    const content = Buffer.alloc(sizeBytes, 1);
    const rounds = { warmUps: 300, rounds: options.quick ? 300 : 3000 };
    const writes = await interleave(
      [
        { name: 'floor', run: () => timeMs(() => floor.put(path, sizeBytes)) },
        { name: 'daemon', run: () => timeMs(() => daemon.put(path, sizeBytes)) },
        { name: 'sdk', run: () => timeMs(() => sandbox.files.write(path, content)) },
      ],
      rounds,
    );
    const reads = await interleave(
      [
        { name: 'floor', run: () => timeMs(() => floor.get(path)) },
        { name: 'daemon', run: () => timeMs(() => daemon.get(path)) },
        { name: 'sdk', run: () => timeMs(() => sandbox.files.readBytes(path)) },
      ],
      rounds,
    );
    floor.close();
    daemon.close();
    const row = (operation: string, values: Map<string, number[]>, name: string) => ({
      operation,
      value: medianOf(values, name),
      unit: 'ms' as const,
      floor: medianOf(values, 'floor'),
    });
    const budget = { of: 'floor', limit: 1.5 } as const;
    return [
      { ...row('write 1 KiB, p50', writes, 'daemon'), budget },
      { ...row('read 1 KiB, p50', reads, 'daemon'), budget },
      row('write 1 KiB, p50, TypeScript SDK', writes, 'sdk'),
      row('read 1 KiB, p50, TypeScript SDK', reads, 'sdk'),
    ];
  },
};
