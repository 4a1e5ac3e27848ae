import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  codeOf,
  expectNothingLeft,
  faultOf,
  onEachIsolation,
  startDaemon,
  useDaemon,
  useSandbox,
  waitForOnly,
} from '../harness/index.ts';

const used = useDaemon();
const times = <Result>(count: number, make: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

onEachIsolation(used, (isolation) => {
  test('50 creates at once, then 50 deletes at once', { timeout: 120_000 }, async () => {
    const { api, daemon } = used;
    const before = await api.list();
    const made = await times(50, (index) =>
      api.create({ isolation, name: `crowd-${index}`, resources: { memory_mb: 64, pids: 32 } }),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(50);
    const outputs = await times(50, async (index) => {
      const { id = '' } = made[index] ?? {};
      return (await api.exec(id, 'echo $(hostname)')).stdout;
    });
    expect(outputs).toEqual(made.map((_, index) => `crowd-${index}\n`));
    await Promise.all(made.map(({ id }) => api.kill(id)));
    expect(await api.list()).toEqual(before);
    await waitForOnly(
      daemon,
      before.map(({ id }) => id),
    );
  });

  test('of 20 creates with one name exactly one wins', async () => {
    const { api } = used;
    const answers = await times(20, () =>
      api.sendJson('POST', '/v1/sandboxes', { isolation, name: 'wanted' }),
    );
    const lost = answers.filter(({ status }) => status !== 201);
    expect(lost).toHaveLength(19);
    for (const answer of lost)
      expect(faultOf(answer, 'name_taken')).toMatchObject({ name: 'wanted' });
    expect((await api.send('DELETE', '/v1/sandboxes/wanted')).status).toBe(204);
    // The name is free again at once.
    const { id } = await api.create({ isolation, name: 'wanted' });
    await api.kill(id);
  });

  test('deletes of one sandbox at once all succeed, or find nothing', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    const answers = await times(10, () => api.send('DELETE', `/v1/sandboxes/${id}`));
    expect(
      answers.map(codeOf).filter((code) => !['ok', 'sandbox_not_found'].includes(code)),
    ).toEqual([]);
    expect(answers.some(({ status }) => status === 204)).toBe(true);
    await waitForOnly(
      used.daemon,
      (await api.list()).map((sandbox) => sandbox.id),
    );
  });

  const box = useSandbox(used, isolation);

  test('50 commands at once each get their own output', async () => {
    const results = await times(50, (index) =>
      used.api.exec(box.id, `cat; sleep 0.${index % 10}; echo ${index} >&2; exit ${index}`, {
        stdin: `input ${index}`,
      }),
    );
    for (const [index, result] of results.entries())
      expect(result).toMatchObject({
        stdout: `input ${index}`,
        stderr: `${index}\n`,
        exit_code: index,
      });
  });

  test('50 uploads of 1 MiB at once arrive whole', async () => {
    const bodies = Array.from({ length: 50 }, () => randomBytes(2 ** 20));
    await times(50, (index) =>
      used.api.write(box.id, `/workspace/up/${index}`, bodies[index] ?? ''),
    );
    const sums = await used.api.exec(box.id, 'cd /workspace/up; sha256sum $(seq 0 49)');
    expect(
      sums.stdout
        .trim()
        .split('\n')
        .map((line) => line.slice(0, 64)),
    ).toEqual(bodies.map((body) => createHash('sha256').update(body).digest('hex')));
    const back = await times(50, (index) => used.api.read(box.id, `/workspace/up/${index}`));
    expect(back.every((body, index) => bodies[index]?.equals(body))).toBe(true);
  });

  test('two writers of one path, 200 times: every read sees one whole version', async () => {
    const { api } = used;
    const path = '/workspace/shared';
    const version = (writer: string, turn: number) =>
      `${writer}${turn}:`.padEnd(8, '.') + writer.repeat(50_000 + turn * 100);
    await api.write(box.id, path, version('a', 0));
    let writing = true;
    const writer = async (name: string) => {
      for (let turn = 0; turn < 200; turn++) await api.write(box.id, path, version(name, turn));
    };
    const torn: string[] = [];
    const versions = new Set<string>();
    const reader = async () => {
      while (writing) {
        const text = (await api.read(box.id, path)).toString();
        const [, name = '', turn = ''] = /^([ab])(\d+):/.exec(text) ?? [];
        versions.add(name + turn);
        if (text !== version(name, Number(turn))) torn.push(text.slice(0, 20));
      }
    };
    const readers = [reader(), reader()];
    await Promise.all([writer('a'), writer('b')]);
    writing = false;
    await Promise.all(readers);
    expect(torn).toEqual([]);
    expect(versions.size).toBeGreaterThan(20);
    expect([version('a', 199), version('b', 199)]).toContain(
      (await api.read(box.id, path)).toString(),
    );
    await expectNothingLeft(used, box.id);
  });

  test('writers and removers of one tree never leave the daemon at a loss', async () => {
    const { api } = used;
    const codes = await times(120, async (index) => {
      const path = `/workspace/tree/${index % 5}/${index % 3}/file`;
      if (index % 4 === 0) return codeOf(await api.remove(box.id, '/workspace/tree'));
      if (index % 4 === 1) return codeOf(await api.listing(box.id, '/workspace/tree'));
      return codeOf(await api.put(box.id, path, 'x'));
    });
    expect(
      codes.filter(
        (code) => !['ok', 'file_not_found', 'path_busy', 'directory_not_empty'].includes(code),
      ),
    ).toEqual([]);
    await expectNothingLeft(used, box.id);
  });
});

test('a limit of sandboxes holds under a rush', async () => {
  await using daemon = await startDaemon({ args: ['--max-sandboxes', '3'] });
  const answers = await times(8, () => daemon.api.sendJson('POST', '/v1/sandboxes', {}));
  expect(answers.map(codeOf).sort()).toEqual([
    ...Array.from({ length: 5 }, () => 'limit_reached'),
    ...Array.from({ length: 3 }, () => 'ok'),
  ]);
  await daemon.killSandboxes();
  expect((await daemon.api.create()).status).toBe('running');
});
