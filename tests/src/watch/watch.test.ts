import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  faultOf,
  filePath,
  onEachIsolation,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { EventSource } from './event-source.ts';

const used = useDaemon();

const watch = (id: string, path: string, more = '') =>
  EventSource.open(used.api, `${filePath(id, '/watch', path)}${more}`);

/** The isolation whose guests make files fastest. */
const fastest = () => used.daemon.isolations.at(-1) ?? 'container';

/** A program that makes and removes so many files. */
const churn = (files: number, name: string, pauseSeconds = 0) => `
import os, time
for i in range(${files}):
    path = '${name}' + str(i)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    os.unlink(path)
    if ${pauseSeconds} > 0 and i % 10 == 0: time.sleep(${pauseSeconds} * 10)
`;

/** Undefined for an error with this code; throws others. */
const unlessItSays = (code: string) => (error: unknown) => {
  if (!String(error).includes(code)) throw error;
  return undefined;
};

/** Waits until a new file is told of: what was told before had overflowed on its way. */
async function newsCome(id: string, events: EventSource): Promise<void> {
  let round = 0;
  const look = async () => {
    await used.api.write(id, `/tmp/news-${(round += 1)}`, 'x');
    return events.texts.some((text) => text.startsWith('created /tmp/news-'));
  };
  await waitFor(look, { timeoutMs: 20_000, intervalMs: 200, what: 'news' });
}

const daemonDescriptors = () => readdirSync(`/proc/${used.daemon.pid}/fd`).length;

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  test('tells what commands and the API do, as it happens', async () => {
    using events = await watch(box.id, '/workspace');
    await events.until('ready');
    await used.api.write(box.id, '/workspace/by the API', 'x');
    await events.until('created /workspace/by the API');
    await used.api.exec(
      box.id,
      'cd /workspace; mkdir -p a/b; echo x > a/b/c; sleep 0.3; mv a z; mkdir z/new',
    );
    await events
      .until('created /workspace/a/b/c')
      .catch(() => events.until('created /workspace/z/b/c'));
    await used.api.exec(box.id, 'cd /workspace; echo y >> z/b/c; rm -r z');
    await events.until('removed /workspace/z');
    expect(events.told.find(({ event }) => event === 'ready')?.data).toEqual({});
    expect(events.told.find(({ data }) => data['path'] === '/workspace/by the API')).toEqual({
      event: 'created',
      data: { path: '/workspace/by the API', type: 'file' },
    });
  });

  test('ends with the sandbox', async () => {
    const other = await used.api.create({ isolation });
    using events = await watch(other.id, '/');
    await events.until('ready');
    await used.api.kill(other.id);
    await events.until('end');
    await events.ended;
  });

  test('works on a sandbox whose processes have ended', async () => {
    const other = await used.api.create({ isolation });
    await used.api.exec(other.id, 'kill -9 1', { user: 'root' }).catch(() => undefined);
    using events = await watch(other.id, '/workspace');
    await events.until('ready');
    await used.api.write(other.id, '/workspace/late', 'x');
    await events.until('created /workspace/late');
    await used.api.kill(other.id);
  });
});

describe('limits and endings', () => {
  test('what is wrong is told before the stream begins', async () => {
    const { id } = await used.api.create();
    const refused = async (path: string, code: Parameters<typeof faultOf>[1], more = '') =>
      faultOf(await used.api.send('GET', `${filePath(id, '/watch', path)}${more}`), code);
    await refused('/no/such', 'file_not_found');
    await refused('/etc/passwd', 'not_a_directory');
    await refused('/proc', 'not_a_regular_file');
    await refused('relative', 'invalid_path');
    await refused('/tmp', 'invalid_request', '&recursive=perhaps');
    faultOf(
      await used.api.send('GET', filePath('00000000-0000-4000-8000-000000000000', '/watch', '/')),
      'sandbox_not_found',
    );
  });

  /** The daemon notices a moment later that the client of an earlier watch has gone. */
  const watchWhenFree = (id: string) =>
    waitFor(() => watch(id, '/tmp').catch(unlessItSays('limit_reached')));

  test('at most 64 watchers; those of clients that have gone leave nothing', async () => {
    const { id } = await used.api.create();
    await used.api.stat(id, '/tmp');
    const before = daemonDescriptors();
    for (let round = 0; round < 2; round++) {
      const sources = await Promise.all(Array.from({ length: 64 }, () => watchWhenFree(id)));
      faultOf(await used.api.send('GET', filePath(id, '/watch', '/tmp')), 'limit_reached');
      for (const source of sources) source.close();
      await expect.poll(daemonDescriptors, { timeout: 10_000 }).toBeLessThanOrEqual(before + 4);
    }
    using again = await watchWhenFree(id);
    await again.until('ready');
  });

  test('of a storm nothing is lost silently, and the daemon answers others meanwhile', async () => {
    const { id } = await used.api.create({ isolation: fastest() });
    using events = await watch(id, '/tmp');
    await events.until('ready');
    const storm = churn(40_000, 'x');
    const running = used.api.execFields(id, { args: ['python3', '-c', storm], cwd: '/tmp' });
    let isRunning = true;
    const ended = running.then(
      () => (isRunning = false),
      () => (isRunning = false),
    );
    let longestMs = 0;
    while (isRunning) {
      const beforeMs = performance.now();
      await used.api.stat(id, '/etc/passwd');
      longestMs = Math.max(longestMs, performance.now() - beforeMs);
      await sleep(20);
    }
    await ended;
    expect((await running).exit_code).toBe(0);
    expect(longestMs).toBeLessThan(2000);
    await newsCome(id, events);
    const isResynced = events.texts.some((text) => text.startsWith('resync'));
    const created = events.texts.filter((text) => text.startsWith('created /tmp/x'));
    if (!isResynced) expect(created).toHaveLength(40_000);
  });

  test('a client that does not read costs no memory', async () => {
    const { id } = await used.api.create({ isolation: fastest() });
    using events = await watch(id, '/tmp');
    await events.until('ready');
    events.response.pause();
    const status = () => readFileSync(`/proc/${used.daemon.pid}/status`, 'utf8');
    const rssMiB = () => Number(/VmRSS:\s+(\d+)/.exec(status())?.[1]) / 1024;
    const before = rssMiB();
    const program = churn(40_000, 'n'.repeat(200), 0.0002);
    await used.api.execFields(id, { args: ['python3', '-c', program], cwd: '/tmp' });
    expect(rssMiB() - before).toBeLessThan(100);
    events.response.resume();
    await newsCome(id, events);
    expect(events.texts.some((text) => text.startsWith('resync'))).toBe(true);
  });

  test('an open watch does not hold up the end of the daemon', async () => {
    const { id } = await used.api.create();
    using events = await watch(id, '/tmp');
    await events.until('ready');
    expect(await used.daemon.stop()).toBeLessThan(2500);
    await events.ended;
    expect(events.texts).toEqual(['ready']);
    await used.daemon.start();
    using again = await watch(id, '/tmp');
    await again.until('ready');
  });
});
