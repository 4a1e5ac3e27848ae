import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { RunsOfLostClients } from './runs-of-lost-clients.ts';

/** A command that ends when the test says so. */
function command() {
  let end: (result: string) => void = () => undefined;
  const signals: AbortSignal[] = [];
  const begin = vi.fn((signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string>((resolve) => {
      end = resolve;
    });
  });
  return { begin, signals, end: (result: string) => end(result) };
}

/** Of a client that stays. */
const connected = () => new AbortController().signal;

test('the same request after an answered one begins anew', async () => {
  using runs = new RunsOfLostClients<number>();
  let count = 0;
  const begin = async () => ++count;
  expect(await runs.run('k', begin, connected())).toBe(1);
  expect(await runs.run('k', begin, connected())).toBe(2);
});

test('two clients at one time have a command each', async () => {
  using runs = new RunsOfLostClients<string>();
  const one = command();
  const two = command();
  const answers = [runs.run('k', one.begin, connected()), runs.run('k', two.begin, connected())];
  one.end('1');
  two.end('2');
  expect(await Promise.all(answers)).toEqual(['1', '2']);
});

test('a replay joins the command that still runs', async () => {
  using runs = new RunsOfLostClients<string>();
  const { begin, end, signals } = command();
  const client = new AbortController();
  const first = runs.run('k', begin, client.signal);
  client.abort();
  expect(await first).toBeUndefined();
  const replay = runs.run('k', begin, connected());
  end('done');
  expect(await replay).toBe('done');
  expect(begin).toHaveBeenCalledOnce();
  expect(signals[0]?.aborted).toBe(false);
});

test('a replay gets the result of the command that has ended, once', async () => {
  using runs = new RunsOfLostClients<string>();
  const { begin, end } = command();
  const client = new AbortController();
  const first = runs.run('k', begin, client.signal);
  client.abort();
  await first;
  end('done');
  expect(await runs.run('k', begin, connected())).toBe('done');
  const anew = runs.run('k', begin, connected());
  end('again');
  expect(await anew).toBe('again');
  expect(begin).toHaveBeenCalledTimes(2);
});

test('a client that is lost while its answer is on its way gets it again', async () => {
  using runs = new RunsOfLostClients<string>();
  const client = new AbortController();
  const begin = vi.fn(async () => 'done');
  expect(await runs.run('k', begin, client.signal)).toBe('done');
  client.abort();
  expect(await runs.run('k', begin, connected())).toBe('done');
  expect(begin).toHaveBeenCalledOnce();
});

test('a replay that is seen before the end of the connection it replaces joins, too', async () => {
  using runs = new RunsOfLostClients<string>();
  const { begin, end } = command();
  const client = new AbortController();
  const first = runs.run('k', begin, client.signal);
  await sleep(300);
  const replay = runs.run('k', begin, connected());
  await sleep(20);
  client.abort();
  expect(await first).toBeUndefined();
  end('done');
  expect(await replay).toBe('done');
  expect(begin).toHaveBeenCalledOnce();
});

test('a second client while the first one stays has a command of its own', async () => {
  using runs = new RunsOfLostClients<string>();
  const one = command();
  const first = runs.run('k', one.begin, connected());
  await sleep(300);
  expect(await runs.run('k', async () => 'two', connected())).toBe('two');
  one.end('one');
  expect(await first).toBe('one');
});

test('nothing is begun for a client that has gone', async () => {
  using runs = new RunsOfLostClients<string>();
  const { begin } = command();
  const client = new AbortController();
  client.abort();
  expect(await runs.run('k', begin, client.signal)).toBeUndefined();
  expect(begin).not.toHaveBeenCalled();
});

test('other requests do not join', async () => {
  using runs = new RunsOfLostClients<string>();
  const client = new AbortController();
  const lost = command();
  const first = runs.run('k', lost.begin, client.signal);
  client.abort();
  await first;
  expect(await runs.run('other', async () => 'own', connected())).toBe('own');
});

test('without a replay the command is ended after the grace', async () => {
  using runs = new RunsOfLostClients<string>({ graceMs: 20 });
  const { begin, signals } = command();
  const client = new AbortController();
  const first = runs.run('k', begin, client.signal);
  client.abort();
  await first;
  expect(signals[0]?.aborted).toBe(false);
  await sleep(60);
  expect(signals[0]?.aborted).toBe(true);
});

test('only so many results wait', async () => {
  using runs = new RunsOfLostClients<string>();
  const begin = vi.fn(async () => 'done');
  for (let index = 0; index < 40; index += 1) {
    const client = new AbortController();
    await runs.run(`k${index}`, begin, client.signal);
    client.abort();
  }
  await runs.run('k0', begin, connected());
  await runs.run('k39', begin, connected());
  expect(begin).toHaveBeenCalledTimes(41);
});

test('what no client waits for is ended with the daemon', async () => {
  const runs = new RunsOfLostClients<string>();
  const { begin, signals } = command();
  const client = new AbortController();
  const first = runs.run('k', begin, client.signal);
  client.abort();
  await first;
  runs[Symbol.dispose]();
  expect(signals[0]?.aborted).toBe(true);
});
