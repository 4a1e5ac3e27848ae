import { spread } from '../lifecycle/spread.ts';
import type { Measurement } from '../report.ts';
import { timeMs } from '../statistics.ts';
import type { Runtime } from './runtime.ts';

const chunk = Buffer.alloc(2 ** 20, 'sandport ');

/** Small and large files, written and read by one way to a sandbox. */
export async function measureTransfers(
  runtime: Runtime,
  sandbox: string,
  way: string,
  options: { rounds: number; sizeMib: number },
): Promise<Measurement[]> {
  const small = [Buffer.alloc(1024, 'x')];
  const writes: number[] = [];
  const reads: number[] = [];
  const commands: number[] = [];
  for (let round = -2; round < options.rounds; round++) {
    const wrote = await timeMs(() => runtime.write(sandbox, '/home/user/small', small));
    const read = await timeMs(() => runtime.read(sandbox, '/home/user/small'));
    const ran = await timeMs(() => runtime.run(sandbox, 'true'));
    if (round < 0) continue;
    writes.push(wrote);
    reads.push(read);
    commands.push(ran);
  }
  const large = Array.from({ length: options.sizeMib }, () => chunk);
  const up = await timeMs(() => runtime.write(sandbox, '/home/user/large', large));
  let bytes = 0;
  const down = await timeMs(async () => {
    bytes = await runtime.read(sandbox, '/home/user/large');
  });
  if (bytes !== options.sizeMib * 2 ** 20) throw new Error(`${bytes} bytes came back`);
  await runtime.run(sandbox, 'rm /home/user/large');
  const throughput = (what: string, ms: number): Measurement => ({
    operation: `${what} ${options.sizeMib} MiB, ${way}`,
    value: options.sizeMib / (ms / 1000),
    unit: 'MiB/s',
    higherIsBetter: true,
  });
  return [
    spread(`write 1 KiB, ${way}`, writes),
    spread(`read 1 KiB, ${way}`, reads),
    spread(`command, ${way}`, commands),
    throughput('write', up),
    throughput('read', down),
  ];
}
