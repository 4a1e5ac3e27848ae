import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import {
  codeOf,
  faultOf,
  idsOnMachine,
  isAlive,
  json,
  onEachIsolation,
  sandboxProcess,
  signal,
  useDaemon,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';

const used = useDaemon();
afterEach(() => used.daemon.killSandboxes());

onEachIsolation(used, (isolation) => {
  const keepsMemory = isolation === 'gvisor';
  const make = async (fields = {}) => (await used.api.create({ isolation, ...fields })).id;
  /** Counts in a file, ten times a second. */
  const count =
    'i=0; while :; do i=$((i+1)); echo $i > /tmp/next; mv /tmp/next /workspace/count; sleep 0.1; done > /dev/null 2>&1 &';
  const counted = async (id: string) =>
    Number((await used.api.read(id, '/workspace/count')).toString());

  test('a paused sandbox stands still: files are served, commands refused, and it goes on', async () => {
    const { api } = used;
    const id = await make();
    await api.exec(id, count);
    await waitFor(async () => codeOf(await api.open(id, '/workspace/count')) === 'ok');
    expect((await api.enter(id, 'pause')).status).toBe('paused');
    expect((await api.enter(id, 'pause')).status).toBe('paused');
    const before = await counted(id);
    const refused = await api.sendJson('POST', `/v1/sandboxes/${id}/exec`, { cmd: 'true' });
    expect(faultOf(refused, 'invalid_state')).toMatchObject({ status: 'paused', sandbox: id });
    await api.write(id, '/workspace/written', 'while paused');
    expect((await api.read(id, '/workspace/written')).toString()).toBe('while paused');
    expect(await api.names(id, '/workspace')).toContain('written');
    faultOf(await api.change(id, 'wake'), 'invalid_state');
    expect(await counted(id)).toBe(before);
    expect((await api.enter(id, 'resume')).status).toBe('running');
    expect((await api.enter(id, 'resume')).status).toBe('running');
    await waitFor(async () => (await counted(id)) > before + 1);
    expect((await api.exec(id, 'cat /workspace/written')).stdout).toBe('while paused');
  });

  test('a command that runs waits while its sandbox is paused, and ends well', async () => {
    const { api } = used;
    const id = await make();
    const running = api.exec(id, 'touch /tmp/began; sleep 0.3; echo done');
    await waitFor(async () => codeOf(await api.statAnswer(id, '/tmp/began')) === 'ok');
    await api.enter(id, 'pause');
    expect(await Promise.race([running, sleep(1_000, 'waits')])).toBe('waits');
    await api.enter(id, 'resume');
    expect(await running).toMatchObject({ exit_code: 0, stdout: 'done\n' });
  });

  test('hibernation gives the memory back, keeps what it promises, and costs one answer', async () => {
    const { api, daemon } = used;
    const id = await make({ env: { KEPT: 'yes' } });
    await api.exec(id, count);
    await waitFor(async () => codeOf(await api.open(id, '/workspace/count')) === 'ok');
    const process = sandboxProcess(daemon, id);
    const asleep = await api.enter(id, 'hibernate');
    expect(asleep).toMatchObject({ status: 'hibernated', memory: keepsMemory });
    expect(await api.enter(id, 'hibernate')).toEqual(asleep);
    expect(isAlive(process)).toBe(false);
    expect(processesOf(id)).toEqual([]);
    const before = await counted(id);

    const woken = await api.wake(id);
    expect(woken).toMatchObject({
      status: 'running',
      woken: true,
      memory: keepsMemory,
      boot_mode: keepsMemory ? 'memory' : 'disk',
    });
    expect(await api.wake(id)).toMatchObject({ status: 'running', woken: false });
    if (keepsMemory) await waitFor(async () => (await counted(id)) > before + 1);
    else expect(await counted(id)).toBe(before);
    expect((await api.exec(id, 'echo $KEPT; cat /workspace/count')).stdout).toMatch(/^yes\n\d+\n$/);
    expect((await api.events(id)).map(({ type }) => type)).toEqual([
      'created',
      'hibernated',
      'woken',
    ]);
  });

  test('looking does not wake; a command or a write does, and says so', async () => {
    const { api } = used;
    const id = await make();
    await api.write(id, '/workspace/kept', 'text');
    await api.enter(id, 'hibernate');
    expect((await api.read(id, '/workspace/kept')).toString()).toBe('text');
    for (const path of [
      '',
      '/lifecycle',
      '/events',
      '/uploads',
      '/fs/dir?path=/workspace',
      '/fs/stat?path=/workspace/kept',
      '/fs/du?path=/workspace',
      '/fs/changes',
      '/fs/archive?path=/workspace',
    ]) {
      const answer = await api.send('GET', `/v1/sandboxes/${id}${path}`);
      expect(answer.status, path).toBe(200);
      expect(answer.headers).not.toHaveProperty('x-sandport-woke');
    }
    await api.sendJson('POST', `/v1/sandboxes/${id}/fs/search`, { path: '/', pattern: 'text' });
    expect((await api.get(id)).status).toBe('hibernated');
    expect(await api.list('?status=hibernated')).toHaveLength(1);

    const woke = keepsMemory ? 'memory' : 'disk';
    const ask: Record<string, () => ReturnType<typeof api.send>> = {
      exec: () => api.sendJson('POST', `/v1/sandboxes/${id}/exec`, { cmd: 'cat /workspace/kept' }),
      stream: () => api.sendJson('POST', `/v1/sandboxes/${id}/exec/stream`, { cmd: 'true' }),
      write: () => api.put(id, '/workspace/kept', 'text'),
      mkdir: () => api.mkdir(id, '/workspace/new'),
      remove: () => api.remove(id, '/workspace/new'),
      batch: () =>
        api.send('POST', `/v1/sandboxes/${id}/fs/batch/write`, {
          body: `${JSON.stringify({ path: '/workspace/batch', content: 'x' })}\n`,
        }),
      upload: () =>
        api.send('POST', `/v1/sandboxes/${id}/uploads`, {
          headers: {
            'Tus-Resumable': '1.0.0',
            'Upload-Length': '0',
            'Upload-Metadata': `path ${Buffer.from('/workspace/tus').toString('base64')}`,
          },
        }),
    };
    for (const [name, send] of Object.entries(ask)) {
      await api.enter(id, 'hibernate');
      const answer = await send();
      expect(answer.status, `${name}: ${answer.body}`).toBeLessThan(300);
      expect(answer.headers['x-sandport-woke'], name).toBe(woke);
      expect((await send()).headers, name).not.toHaveProperty('x-sandport-woke');
      expect((await api.get(id)).status).toBe('running');
    }
  });

  test('many requests at once share one wake', async () => {
    const { api } = used;
    const id = await make();
    await api.enter(id, 'hibernate');
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0
          ? api.exec(id, 'echo up').then(({ stdout }) => stdout)
          : api.put(id, `/workspace/${index}`, 'x').then(({ status }) => status),
      ),
    );
    expect(new Set(results)).toEqual(new Set(['up\n', 200]));
    const woken = (await api.events(id)).filter(({ type }) => type === 'woken');
    expect(woken).toHaveLength(1);
  });

  test('a paused sandbox can be hibernated, and wakes running', async () => {
    const { api } = used;
    const id = await make();
    await api.enter(id, 'pause');
    expect((await api.enter(id, 'hibernate')).status).toBe('hibernated');
    faultOf(await api.change(id, 'pause'), 'invalid_state');
    faultOf(await api.change(id, 'resume'), 'invalid_state');
    expect(await api.wake(id)).toMatchObject({ status: 'running', woken: true });
    expect((await api.exec(id, 'echo up')).stdout).toBe('up\n');
  });

  test('hibernation while commands run ends them for who waits, and tells why', async () => {
    const { api } = used;
    const id = await make();
    const waiting = api.sendJson('POST', `/v1/sandboxes/${id}/exec`, {
      cmd: 'touch /tmp/began; sleep 60',
    });
    await waitFor(async () => codeOf(await api.statAnswer(id, '/tmp/began')) === 'ok');
    await api.enter(id, 'hibernate');
    faultOf(await waiting, 'invalid_state');
    expect((await api.get(id)).status).toBe('hibernated');
    expect((await api.exec(id, 'echo again')).stdout).toBe('again\n');
  });

  test('an upload that runs through hibernation and wake is whole', async () => {
    const { api } = used;
    const id = await make();
    const piece = Buffer.alloc(256 * 1024, 'p');
    let pieces = 0;
    const body = Readable.from(
      (async function* () {
        for (; pieces < 20; pieces++) {
          yield piece;
          await sleep(100);
        }
      })(),
    );
    const uploading = api.put(id, '/workspace/large', body);
    await waitFor(() => pieces > 2);
    await api.enter(id, 'hibernate');
    await waitFor(() => pieces > 8);
    expect((await api.get(id)).status).toBe('hibernated');
    await api.wake(id);
    expect(json(await uploading, 200)).toMatchObject({ bytes: 20 * piece.length });
    const sum = await api.exec(id, 'wc -c < /workspace/large; tr -d p < /workspace/large | wc -c');
    expect(sum.stdout).toBe(`${20 * piece.length}\n0\n`);
  });

  test('a sandbox whose processes died is failed within 5 s; by hand it begins afresh', async () => {
    const { api, daemon } = used;
    const id = await make();
    await api.write(id, '/workspace/kept', 'x');
    signal(sandboxProcess(daemon, id), 'SIGKILL');
    await waitFor(async () => (await api.get(id)).status === 'failed', { timeoutMs: 20_000 });
    expect((await api.get(id)).status_reason).toMatch(/\w/);
    faultOf(
      await api.sendJson('POST', `/v1/sandboxes/${id}/exec`, { cmd: 'true' }),
      'invalid_state',
    );
    for (const change of ['pause', 'resume', 'hibernate'])
      faultOf(await api.change(id, change), 'invalid_state');
    expect((await api.read(id, '/workspace/kept')).toString()).toBe('x');
    await api.write(id, '/workspace/new', 'y');
    expect(await api.wake(id)).toMatchObject({
      status: 'running',
      woken: true,
      memory: false,
      boot_mode: 'disk',
    });
    expect((await api.exec(id, 'cat /workspace/*')).stdout).toBe('xy');
    expect((await api.events(id)).map(({ type }) => type)).toEqual(['created', 'failed', 'woken']);
  });

  test('a sandbox can be deleted in every state and during every change', async () => {
    const { api, daemon } = used;
    const ids = await Promise.all([make(), make(), make(), make()]);
    const [paused = '', asleep = '', entering = '', waking = ''] = ids;
    await api.enter(paused, 'pause');
    await Promise.all([asleep, waking].map((id) => api.enter(id, 'hibernate')));
    const changes = [api.change(entering, 'hibernate'), api.change(waking, 'wake')];
    await Promise.all(ids.map((id) => api.kill(id)));
    for (const answer of await Promise.all(changes))
      expect(['ok', 'invalid_state', 'sandbox_not_found']).toContain(codeOf(answer));
    for (const id of ids)
      faultOf(await api.send('GET', `/v1/sandboxes/${id}`), 'sandbox_not_found');
    await waitForOnly(daemon, []);
  });

  test('empty bodies of every kind are no body, and others are refused', async () => {
    const { api } = used;
    const id = await make();
    for (const options of [
      {},
      { headers: { 'Content-Type': 'text/plain;charset=UTF-8', 'Content-Length': 0 } },
      { body: '{}', headers: { 'Content-Type': 'application/json' } },
    ])
      for (const change of ['hibernate', 'wake', 'stop', 'start', 'pause', 'resume'])
        expect((await api.change(id, change, options)).status, change).toBe(200);
    for (const body of ['{"force":true}', '[]', '"x"', 'nonsense'])
      faultOf(await api.change(id, 'hibernate', { body }), 'invalid_request');
    expect((await api.get(id)).status).toBe('running');
    for (const change of ['pause', 'resume', 'hibernate', 'wake'])
      faultOf(await api.change('nobody', change), 'sandbox_not_found');
    const { api: stranger } = await api.newKey({ namespaces: ['strange'] });
    faultOf(await stranger.change(id, 'hibernate'), 'sandbox_not_found');
  });
});

/** Command lines of processes that name the sandbox. */
function processesOf(id: string): string[] {
  return (idsOnMachine(used.daemon).get(id) ?? []).filter((trace) => trace.startsWith('process'));
}
