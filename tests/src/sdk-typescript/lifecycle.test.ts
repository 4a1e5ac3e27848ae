import { ConflictError, type Isolation, NotFoundError, Sandbox } from 'sandport';
import { describe, expect, test } from 'vitest';
import { onEachIsolation, useDaemon } from '../harness/index.ts';
import { clientOf, failure } from './sdk-sandbox.ts';

const used = useDaemon();
const make = (isolation: Isolation) => Sandbox.create({ isolation }, clientOf(used));

/** A process that counts in its memory and tells the number in a file. */
const counter =
  "nohup sh -c 'n=0; while :; do n=$((n+1)); echo $n > /workspace/count; sleep 0.05; done' > /dev/null 2>&1 &";
const countOf = async (sandbox: Sandbox) =>
  Number(await sandbox.filesystem.read('/workspace/count').catch(() => '0'));

onEachIsolation(used, (isolation) => {
  const memory = isolation === 'gvisor';

  test('pause freezes, resume goes on', async () => {
    await using sandbox = await make(isolation);
    await sandbox.exec(counter);
    await expect.poll(() => countOf(sandbox)).toBeGreaterThan(1);
    expect((await sandbox.pause()).status).toBe('paused');
    expect(sandbox.status).toBe('paused');
    const frozen = await countOf(sandbox);
    expect(await failure(sandbox.exec('true'))).toBeInstanceOf(ConflictError);
    expect(await countOf(sandbox)).toBe(frozen);
    expect((await sandbox.resume()).status).toBe('running');
    await expect.poll(() => countOf(sandbox)).toBeGreaterThan(frozen);
  });

  test('hibernate and wake, by itself too', async () => {
    await using sandbox = await make(isolation);
    await sandbox.exec(counter);
    await expect.poll(() => countOf(sandbox)).toBeGreaterThan(1);
    expect(await sandbox.hibernate()).toMatchObject({ status: 'hibernated', memory });
    const before = await countOf(sandbox);
    expect(await sandbox.refresh()).toMatchObject({ status: 'hibernated', memory });
    expect(await sandbox.wake()).toMatchObject({ status: 'running', woken: true, memory });
    expect(sandbox.status).toBe('running');
    expect('memory' in sandbox.info).toBe(false);
    expect(await sandbox.wake()).toMatchObject({ woken: false });
    if (memory) await expect.poll(() => countOf(sandbox)).toBeGreaterThan(before);

    await sandbox.hibernate();
    const woke = memory ? 'memory' : 'disk';
    expect(await sandbox.exec('echo up')).toMatchObject({ stdout: 'up\n', woke });
    expect('woke' in (await sandbox.exec('true'))).toBe(false);
    await sandbox.hibernate();
    let text = '';
    const run = sandbox.commands.run('echo up', { onStdout: (chunk) => void (text += chunk) });
    expect(await run).toMatchObject({ woke });
    expect(text).toBe('up\n');
    await sandbox.hibernate();
    expect(await sandbox.files.write('/workspace/f', 'x')).toMatchObject({ bytes: 1, woke });
    const types = (await sandbox.events()).map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['created', 'hibernated', 'woken']);
  });

  test('fork, fork-tree and promote', async () => {
    await using sandbox = await make(isolation);
    await sandbox.filesystem.write('/workspace/seed', 'seed');
    await sandbox.update({ metadata: { team: 'a' } });
    await using child = await sandbox.fork({ metadata: { role: 'child' } });
    expect(child.info).toMatchObject({
      parent_id: sandbox.id,
      status: 'running',
      metadata: { team: 'a', role: 'child' },
    });
    await child.filesystem.write('/workspace/seed', 'changed');
    expect(await sandbox.filesystem.read('/workspace/seed')).toBe('seed');

    const tree = await sandbox.forkTree({ count: 3 });
    const [first, second, third] = tree;
    expect(tree.children.map(({ info }) => info.fork_tree_id)).toEqual(
      Array.from({ length: 3 }, () => tree.treeId),
    );
    expect(tree.memory).toBe(memory);
    const promoted = await first?.promote({ cleanupSiblings: true });
    expect(promoted?.winner).toBe(first?.id);
    expect(first?.info).toEqual(await first?.refresh());
    expect(promoted?.deleted.toSorted()).toEqual([second?.id, third?.id].toSorted());
    await first?.kill();
  });

  test('snapshots outlive their sandbox', async () => {
    const client = clientOf(used);
    const name = `sdk-${isolation}`;
    const snapshot = await (async () => {
      await using sandbox = await make(isolation);
      await sandbox.filesystem.write('/workspace/state', 'one');
      const made = await sandbox.snapshot({ name, metadata: { why: 'test' } });
      await sandbox.filesystem.write('/workspace/state', 'two');
      expect(await sandbox.snapshots()).toEqual([made]);
      expect(await sandbox.restore(made)).toMatchObject({ id: sandbox.id, status: 'running' });
      expect(await sandbox.filesystem.read('/workspace/state')).toBe('one');
      return made;
    })();
    expect(await client.snapshots.get(name)).toEqual(snapshot);
    expect((await client.snapshots.list()).map(({ id }) => id)).toContain(snapshot.id);
    {
      await using next = await Sandbox.create({ fromSnapshot: snapshot }, client);
      expect(next.info).toMatchObject({ from_snapshot: snapshot.id, isolation });
      expect(await next.filesystem.read('/workspace/state')).toBe('one');
    }
    await client.snapshots.delete(name);
    expect(await failure(client.snapshots.get(name))).toBeInstanceOf(NotFoundError);
  });

  test('explore keeps the best and nothing else', async () => {
    await using sandbox = await make(isolation);
    const result = await sandbox.explore(
      [
        'echo 1 > /workspace/answer',
        { label: 'best', cmd: 'echo "$N" > /workspace/answer', env: { N: '3' } },
        { label: 'fails', cmd: 'echo no >&2; exit 4' },
        { label: 'function', fn: (box) => box.filesystem.write('/workspace/answer', '2') },
      ],
      {
        captureFiles: true,
        scoreFn: async (box, { ok }) =>
          ok ? Number(await box.filesystem.read('/workspace/answer')) : -1,
      },
    );
    expect(result.outcomes.map(({ label, score }) => [label, score])).toEqual([
      ['best', 3],
      ['function', 2],
      ['echo 1 > /workspace/answer', 1],
      ['fails', -1],
    ]);
    expect(result.outcomes[3]).toMatchObject({ ok: false, exitCode: 4, stderrTail: 'no\n' });
    expect(result.winnerOutcome.filesChanged).toEqual(['/workspace/answer']);
    expect(result).toMatchObject({ reapFailures: {}, errors: [] });
    expect(result.reaped.length).toBe(3);
    expect(await result.winner.filesystem.read('/workspace/answer')).toBe('3\n');
    expect((await result.winner.lifecycle()).ttl_seconds).toBe(0);
    await result.winner.kill();
    const left = await Sandbox.list({ metadata: { explore: '1' } }, clientOf(used));
    expect(left).toEqual([]);
  });
});

describe('lifetimes', () => {
  test('are read and changed', async () => {
    await using sandbox = await Sandbox.create(
      { idleTimeoutSeconds: 600, idleAction: 'kill', ttlSeconds: 900 },
      clientOf(used),
    );
    expect(await sandbox.lifecycle()).toMatchObject({
      ttl_seconds: 900,
      idle_timeout_seconds: 600,
      idle_action: 'kill',
      persistent: false,
    });
    expect((await sandbox.setTtl(0)).ttl_seconds).toBe(0);
    expect(sandbox.info).toMatchObject({ ttl_seconds: 0 });
    expect('expires_at' in sandbox.info).toBe(false);
    expect((await sandbox.setPersistent(true)).persistent).toBe(true);
    const idle = await sandbox.setIdleTimeout(30, { idleAction: 'hibernate' });
    expect(idle).toMatchObject({ idle_timeout_seconds: 30, idle_action: 'hibernate' });
  });

  test('events are followed to the end of the sandbox', async () => {
    const sandbox = await Sandbox.create({}, clientOf(used));
    const seen: string[] = [];
    for await (const { type } of sandbox.followEvents({ tail: 10 })) {
      seen.push(type);
      if (type === 'created') await sandbox.pause();
      if (type === 'paused') await sandbox.resume();
      if (type === 'resumed') await sandbox.kill();
    }
    expect(seen).toEqual(['created', 'paused', 'resumed', 'deleted']);
  });

  test('events of all sandboxes end with the signal', async () => {
    const controller = new AbortController();
    const client = clientOf(used);
    const events = client.followEvents({ signal: controller.signal });
    const first = events.next();
    // Its first request is before that of the create.
    const sandbox = await Sandbox.create({}, client);
    expect((await first).value).toMatchObject({ type: 'created', sandbox_id: sandbox.id });
    const next = failure(events.next());
    controller.abort(new Error('enough'));
    expect(await next).toMatchObject({ message: 'enough' });
    await sandbox.kill();
  });
});
