import { expect, test } from 'vitest';
import {
  type Api,
  faultOf,
  onEachIsolation,
  sandboxProcess,
  signal,
  useDaemon,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();
/** How long a command may take to say that the sandbox does not answer. */
const boundMs = 20_000;

const run = (api: Api, id: string, cmd: string) =>
  api.sendJson('POST', `/v1/sandboxes/${id}/exec`, { cmd });

const expectFiles = async (id: string) => {
  const { api } = used;
  const path = '/workspace/after/file';
  await api.write(id, path, 'works');
  expect((await api.read(id, path)).toString()).toBe('works');
  expect(await api.names(id, '/workspace')).toContain('after');
  expect((await api.read(id, '/workspace/before')).toString()).toBe('was here\n');
  expect((await api.remove(id, '/workspace/after')).status).toBe(204);
};

onEachIsolation(used, (isolation) => {
  test('init killed: commands fail at once with the reason, files still work', async () => {
    const { api, daemon } = used;
    const { id } = await api.create({ isolation });
    await api.exec(id, 'echo was here > /workspace/before');
    const running = run(api, id, 'touch /tmp/running; exec sleep 600');
    const cmd = 'touch /tmp/streaming; exec sleep 600';
    const streaming = api.sendJson('POST', `/v1/sandboxes/${id}/exec/stream`, { cmd });
    await waitFor(
      async () => (await api.exec(id, 'ls /tmp/running /tmp/streaming')).exit_code === 0,
    );
    signal(sandboxProcess(daemon, id), 'SIGKILL');
    const failed = await running;
    expect(failed.ms).toBeLessThan(boundMs);
    expect(faultOf(failed, 'invalid_state').error).toMatch(/killed/);
    expect((await streaming).body.toString()).toMatch(
      /event: error\ndata: .*"code":"invalid_state"/,
    );
    const object = await waitFor(async () => {
      const object = await api.get(id);
      return object.status === 'failed' && object;
    });
    expect(object.status_reason).toMatch(/killed/);
    const refused = await run(api, id, 'true');
    const fault = faultOf(refused, 'invalid_state');
    expect(refused.ms).toBeLessThan(1_000);
    expect(fault).toMatchObject({ sandbox: id, status: 'failed' });
    expect(fault.error).toContain(id);
    await expectFiles(id);
    await api.kill(id);
    faultOf(await api.send('GET', `/v1/sandboxes/${id}`), 'sandbox_not_found');
  });

  test('init frozen: commands fail in bounded time, files still work, and it comes back', async () => {
    const { api, daemon } = used;
    const { id } = await api.create({ isolation });
    await api.exec(id, 'echo was here > /workspace/before');
    const init = sandboxProcess(daemon, id);
    signal(init, 'SIGSTOP');
    try {
      const failing = [run(api, id, 'echo never'), run(api, id, 'echo never')];
      await expectFiles(id);
      for (const answer of await Promise.all(failing)) {
        expect(faultOf(answer, 'sandbox_unresponsive')).toMatchObject({ sandbox: id });
        expect(answer.ms).toBeLessThan(boundMs);
      }
      await expectFiles(id);
    } finally {
      signal(init, 'SIGCONT');
    }
    const back = await waitFor(
      async () => {
        const answer = await run(api, id, 'echo back');
        return answer.status === 200 && answer;
      },
      { timeoutMs: boundMs, what: 'a command after SIGCONT' },
    );
    expect(JSON.parse(back.body.toString())).toMatchObject({ stdout: 'back\n', exit_code: 0 });
    expect((await api.get(id)).status).toBe('running');
    await api.kill(id);
  });

  test('a frozen sandbox can be deleted', async () => {
    const { id } = await used.api.create({ isolation });
    const init = sandboxProcess(used.daemon, id);
    signal(init, 'SIGSTOP');
    try {
      await used.api.kill(id);
    } finally {
      signal(init, 'SIGCONT');
    }
    faultOf(await used.api.send('GET', `/v1/sandboxes/${id}`), 'sandbox_not_found');
  });

  test('root in the guest that signals its init gains nothing', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    await api.exec(id, 'echo was here > /workspace/before');
    const cmd = 'kill -STOP 1; kill -TERM 1; kill -SEGV 1; kill -KILL 1; kill -KILL -1';
    const killed = await api.sendJson('POST', `/v1/sandboxes/${id}/exec`, { cmd, user: 'root' });
    expect(killed.ms).toBeLessThan(boundMs);
    if (killed.status !== 200) faultOf(killed, 'invalid_state');
    const answer = await run(api, id, 'echo alive');
    expect(answer.ms).toBeLessThan(boundMs);
    // Either the init cannot be hurt, or the sandbox has died and says so.
    if (answer.status !== 200) faultOf(answer, 'invalid_state');
    await expectFiles(id);
    await api.kill(id);
  });
});
