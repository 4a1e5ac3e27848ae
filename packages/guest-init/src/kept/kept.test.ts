import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InitChannel } from '../init-channel.ts';
import type { InitCommandSpec } from '../start-payload.ts';
import { MemoryOwner } from '../testing/memory-owner.ts';
import { RealInit } from '../testing/real-init.ts';
import { until } from '../testing/until.ts';
import { KEPT_MAX } from '../wire.ts';
import { KeptProcesses } from './kept-processes.ts';

let init: RealInit;
let kept: KeptProcesses;
let channel: InitChannel;
let keys = 0;

const newKey = () => String((keys += 1)).padStart(32, '0');

async function listen(processes: KeptProcesses): Promise<void> {
  const { socketPath, token } = init;
  kept = processes;
  channel = await InitChannel.listen({ socketPath, token, kept });
  await channel.whenConnected(5_000);
  await channel.whenListed(5_000);
}

/** As a daemon that ends, and the next one; it knows what it is given. */
async function reconnect(processes = kept): Promise<void> {
  await channel[Symbol.asyncDispose]();
  await listen(processes);
}

async function keep(
  script: string,
  spec: Partial<InitCommandSpec> = {},
  owner = new MemoryOwner(newKey()),
): Promise<MemoryOwner> {
  const args = ['sh', '-c', script];
  owner.process = await channel.keep({ args, cwd: '/', env: {}, user: 'root', ...spec }, owner);
  return owner;
}

const ended = (owner: MemoryOwner) => until(() => expect(owner.exit).toBeDefined());

beforeAll(async () => {
  init = await RealInit.spawn();
  await listen(new KeptProcesses());
}, 60_000);
afterAll(async () => {
  await channel[Symbol.asyncDispose]();
  await init[Symbol.asyncDispose]();
});

describe('a kept command of a real init', () => {
  test('waits at its window for acknowledgement, and is sent again from an offset', async () => {
    const owner = new MemoryOwner(newKey());
    owner.acknowledges = false;
    await keep('seq 1 100000; echo err >&2; exit 3', {}, owner);
    await until(() => expect(owner.received).toEqual([262_144, 0]));
    // The next daemon has less of it.
    const whole = owner.text();
    const next = new MemoryOwner(owner.key);
    next.pieces[0].push(Buffer.from(whole.slice(0, 1000)));
    next.received[0] = 1000;
    const processes = new KeptProcesses();
    next.process = processes.add(next);
    next.process.acknowledge(0, 1000);
    await reconnect(processes);
    await ended(next);
    const lines = next.text().trimEnd().split('\n');
    expect(lines.length).toBe(100_000);
    expect(lines.every((line, at) => line === String(at + 1))).toBe(true);
    expect(next.text(1)).toBe('err\n');
    expect(next.exit).toMatchObject({ exitCode: 3 });
    next.process.forget();
    await reconnect(new KeptProcesses());
  });

  test('stdin is neither lost nor doubled over connections', async () => {
    const owner = await keep('cat', { stdin: true });
    const stdin = owner.process?.stdin;
    const sent: string[] = [];
    for (let round = 0; round < 12; round++) {
      const piece = `${round}`.padStart(30_011, 'x');
      sent.push(piece);
      stdin?.write(piece);
      if (round % 3 === 0) await reconnect();
    }
    await reconnect();
    stdin?.end();
    await ended(owner);
    expect(owner.text() === sent.join('')).toBe(true);
    owner.process?.forget();
  });

  test('a terminal does not hang up; what was typed and asked meanwhile is done', async () => {
    const terminal = { columns: 80, rows: 24 };
    const script = 'stty -echo; echo up; read line; echo "got $line"; stty size; sleep 60';
    const owner = await keep(script, { terminal });
    await until(() => expect(owner.text()).toBe('up\r\n'));
    await channel[Symbol.asyncDispose]();
    owner.process?.stdin?.write('it\r');
    owner.process?.resize({ columns: 100, rows: 50 });
    await listen(kept);
    await until(() => expect(owner.text()).toContain('got it\r\n'));
    await channel[Symbol.asyncDispose]();
    owner.process?.kill('SIGKILL');
    await listen(kept);
    await ended(owner);
    expect(owner.text()).toContain('50 100\r\n');
    expect(owner.exit).toMatchObject({ signal: 'SIGKILL' });
    owner.process?.forget();
  });

  test('ends and timeouts are told later; until it is forgotten, again and again', async () => {
    const short = await keep('sleep 0.1; echo said; exit 7');
    const late = await keep('sleep 60', { timeoutMs: 100 });
    await channel[Symbol.asyncDispose]();
    await sleep(300);
    await listen(kept);
    await ended(short);
    await ended(late);
    expect(short.text()).toBe('said\n');
    expect([short.exit?.exitCode, late.exit?.timedOut]).toEqual([7, true]);
    short.exit = undefined;
    await reconnect();
    await ended(short);
    expect(short.text()).toBe('said\n');
    for (const owner of [short, late]) owner.process?.forget();
    short.exit = undefined;
    await reconnect(new KeptProcesses());
    expect(short.exit).toBeUndefined();
  });

  test('what nobody knows is ended; what the init does not know is lost', async () => {
    const owner = await keep('sleep 60');
    const stranger = new MemoryOwner('f'.repeat(32));
    const processes = new KeptProcesses();
    processes.add(stranger);
    await reconnect(processes);
    expect(stranger.lost).toBe(true);
    await until(() => expect(() => process.kill(owner.process?.pid ?? 0, 0)).toThrow());
  });

  test('goes on over a suspension, and one that is started meanwhile is kept afterwards', async () => {
    const owner = await keep('for i in 1 2 3; do echo $i; sleep 0.1; done; read x; echo "$x"', {
      stdin: true,
    });
    await channel.suspend(5_000);
    owner.process?.stdin?.end('meanwhile\n');
    const starting = keep('echo new');
    await sleep(100);
    channel.resume();
    const late = await starting;
    await ended(owner);
    await ended(late);
    expect([owner.text(), late.text()]).toEqual(['1\n2\n3\nmeanwhile\n', 'new\n']);
    for (const each of [owner, late]) each.process?.forget();
  });

  test('so many, no key twice, and other commands beside', async () => {
    const owners = await Promise.all(Array.from({ length: KEPT_MAX }, () => keep('true')));
    await expect(keep('true')).rejects.toMatchObject({ kind: 'not_started', code: 'ENOSPC' });
    await expect(keep('true', {}, new MemoryOwner(owners[0]?.key ?? ''))).rejects.toMatchObject({
      code: 'EEXIST',
    });
    const plain = await channel.start({ args: ['true'], cwd: '/', env: {}, user: 'root' });
    expect((await plain.exit).exitCode).toBe(0);
    await Promise.all(owners.map((owner) => ended(owner)));
    await reconnect();
    for (const owner of owners) kept.find(owner.key)?.forget();
    const again = await keep('true');
    await ended(again);
    again.process?.forget();
  });

  test('background processes that hold its pipes keep nothing', async () => {
    const owner = await keep('(sleep 0.3; echo late; head -c 1000000 /dev/zero) & echo early');
    await ended(owner);
    expect(owner.text()).toBe('early\n');
    owner.process?.forget();
    await sleep(400);
    await reconnect();
    expect(owner.text()).toBe('early\n');
  });
});
