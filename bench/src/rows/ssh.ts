import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Sandbox } from 'sandport';
import type { Measurement } from '../report.ts';
import { OwnSshd } from '../ssh/own-sshd.ts';
import { SshUser } from '../ssh/ssh-user.ts';
import { median, timeMs } from '../statistics.ts';
import { memoryGrowthMib, type Row, type Subject } from '../subject.ts';

const run = promisify(execFile);
const mib = 1024 * 1024;

/** What a transfer by SSH may cost beside one by HTTP. */
const budget = { of: 'floor', limit: 0.5 } as const;

/** Debian's scp against curl, and against OpenSSH's own server; and how long a log-in takes. */
export const ssh: Row = {
  name: 'ssh',
  async measure(subject, { sizeMib, quick }) {
    const isolation = subject.isolations.at(-1);
    if (isolation === undefined) return [];
    if (!(await hasOpenSsh())) {
      console.error('ssh is left out: OpenSSH is not installed');
      return [];
    }
    using user = await SshUser.open(subject);
    await using sandbox = await Sandbox.create({ isolation }, subject);
    const far = `${sandbox.id}@sandport`;
    const file = user.path('file');
    await makeFile(file, sizeMib);
    const rounds = quick ? 1 : 3;
    const rate = async (transfer: () => Promise<unknown>) => {
      const values: number[] = [];
      for (let round = 0; round < rounds; round++) values.push(await timeMs(transfer));
      return sizeMib / (median(values) / 1000);
    };
    const scp = (...args: string[]) => run('scp', ['-q', '-F', user.config, ...args]);
    const login = median(
      await times(quick ? 3 : 20, () => run('ssh', ['-F', user.config, far, 'true'])),
    );
    const http = httpTransfers(subject, sandbox.id, file);
    const up = { floor: await rate(http.up), unit: 'MiB/s', higherIsBetter: true } as const;
    const down = { floor: await rate(http.down), unit: 'MiB/s', higherIsBetter: true } as const;
    const measurements: Measurement[] = [];
    const own = await ownRates(user, file, rate);
    const growth = await memoryGrowthMib(subject.daemonPid, async () => {
      const upRate = await rate(() => scp(file, `${far}:file`));
      const downRate = await rate(() => scp(`${far}:file`, user.path('back')));
      const note = 'floor: curl and the HTTP API';
      measurements.push(
        { ...up, operation: `scp up, ${sizeMib} MiB`, value: upRate, budget, note },
        { ...down, operation: `scp down, ${sizeMib} MiB`, value: downRate, budget, note },
      );
      if (own === undefined) return;
      const beside = { note: 'floor: scp and an sshd of OpenSSH' };
      measurements.push(
        { ...up, operation: 'scp up, beside sshd', value: upRate, floor: own.up, ...beside },
        {
          ...down,
          operation: 'scp down, beside sshd',
          value: downRate,
          floor: own.down,
          ...beside,
        },
      );
    });
    return [
      { operation: 'ssh: log in and run `true`, p50', value: login, unit: 'ms' },
      ...measurements,
      { operation: 'scp, growth of the daemon', value: growth, unit: 'MiB' },
    ];
  },
};

/** What the same transfers reach with OpenSSH at both ends; undefined where its server is not. */
async function ownRates(
  user: SshUser,
  file: string,
  rate: (transfer: () => Promise<unknown>) => Promise<number>,
): Promise<{ up: number; down: number } | undefined> {
  await using sshd = await OwnSshd.open(user);
  if (sshd === undefined) {
    console.error("OpenSSH's own server is left out: it is not installed, or does not start");
    return undefined;
  }
  const { flags } = sshd;
  const far = `own:${user.path('far')}`;
  const up = await rate(() => run('scp', ['-q', ...flags, file, far]));
  const down = await rate(() => run('scp', ['-q', ...flags, far, user.path('back')]));
  return { up, down };
}

function httpTransfers({ url, apiKey }: Subject, id: string, file: string) {
  const address = `${url}/v1/sandboxes/${id}/fs?path=/home/user/file`;
  const flags = ['-sSf', '-H', `Authorization: Bearer ${apiKey}`, '-o', '/dev/null', address];
  return {
    up: () => run('curl', ['-T', file, ...flags]),
    down: () => run('curl', flags),
  };
}

const hasOpenSsh = () =>
  run('ssh', ['-V']).then(
    () => true,
    () => false,
  );

async function times(count: number, action: () => Promise<unknown>): Promise<number[]> {
  const values: number[] = [];
  for (let round = 0; round < count; round++) values.push(await timeMs(action));
  return values;
}

async function makeFile(path: string, sizeMib: number): Promise<void> {
  const stream = createWriteStream(path);
  for (let count = 0; count < sizeMib; count++)
    if (!stream.write(randomBytes(mib))) await once(stream, 'drain');
  await finished(stream.end());
}
