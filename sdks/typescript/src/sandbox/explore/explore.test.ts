import { sandboxSchema } from '@sandport/protocol';
import { describe, expect, test } from 'vitest';
import { FakeDaemon, type FakeExchange } from '../../testing/fake-daemon.ts';
import { sandboxInfo } from '../../testing/sandbox-info.ts';
import { Sandbox } from '../sandbox.ts';
import { ExploreError } from './candidate.ts';

const idOf = (number: number) => `3f6c1b9e-0d1a-4c5b-9f0e-00000000000${number}`;
const lifecycle = {
  ttl_seconds: 600,
  persistent: false,
  idle_timeout_seconds: 0,
  idle_action: 'hibernate',
  idle_seconds: 0,
};

/** A daemon that forks, and whose commands end with the exit code that they name. */
async function forkingDaemon(made: (wanted: number) => number = (wanted) => wanted) {
  const killed: string[] = [];
  const daemon = await FakeDaemon.start(async (exchange: FakeExchange) => {
    const { request, response, url, json } = exchange;
    const [, , , id = '', route] = url.pathname.split('/');
    if (request.method === 'DELETE') {
      killed.push(id);
      response.writeHead(204).end();
    } else if (route === 'fork-tree') {
      const { count } = JSON.parse((await exchange.body()).toString());
      const children = Array.from({ length: made(count) }, (_, index) =>
        sandboxInfo({ id: idOf(index), fork_tree_id: 't1' }),
      );
      const errors = [{ index: made(count), err: 'The limit is reached.', code: 'limit_reached' }];
      json(201, {
        parent_id: idOf(9),
        memory: false,
        pause_ms: 1,
        at: '2026-01-02T03:04:05.000Z',
        tree_id: 't1',
        snapshot_id: 't1',
        children,
        ...(made(count) < count && { errors }),
      });
    } else if (route === 'exec') {
      const { cmd } = JSON.parse((await exchange.body()).toString());
      json(200, { stdout: cmd, stderr: '', exit_code: Number(cmd), duration_ms: 1 });
    } else if (route === 'lifecycle') json(200, lifecycle);
    else if (route === 'promote') json(200, { winner: id, tree_id: 't1', deleted: [] });
  });
  const parent = Sandbox.fromInfo(sandboxSchema.parse(sandboxInfo({ id: idOf(9) })), daemon.client);
  return { daemon, parent, killed };
}

describe('explore', () => {
  test('keeps the winner and kills the others', async () => {
    const { daemon, parent, killed } = await forkingDaemon();
    await using _ = daemon;
    const result = await parent.explore([
      { label: 'one', cmd: '0', score: 1 },
      { label: 'two', cmd: '0', score: 2 },
      { label: 'bad', cmd: '3', score: 9 },
    ]);
    expect(result.winner.id).toBe(idOf(1));
    expect(result.outcomes.map(({ label }) => label)).toEqual(['bad', 'two', 'one']);
    expect(killed.toSorted()).toEqual([idOf(0), idOf(2)]);
    expect(result).toMatchObject({ treeId: 't1', errors: [], reapFailures: {} });
  });

  test('select chooses the smallest, or as a function likes; losers can stay', async () => {
    const { daemon, parent, killed } = await forkingDaemon();
    await using _ = daemon;
    const candidates = [
      { label: 'one', cmd: '0', score: 1 },
      { label: 'two', cmd: '0', score: 2 },
    ];
    const options = { cleanupLosers: false, promoteWinner: false } as const;
    const smallest = await parent.explore(candidates, { ...options, select: 'min' });
    expect(smallest.winnerOutcome.label).toBe('one');
    const last = await parent.explore(candidates, { ...options, select: (all) => all.at(-1) });
    expect(last.winnerOutcome.label).toBe('two');
    expect(killed).toEqual([]);
    expect(daemon.requests.filter((each) => each.endsWith('promote'))).toEqual([]);
  });

  test('without a winner every copy is killed, and the outcomes are told', async () => {
    const { daemon, parent, killed } = await forkingDaemon();
    await using _ = daemon;
    const thrown = new Error('no luck');
    const failed = parent.explore([
      '1',
      {
        label: 'throws',
        fn: () => {
          throw thrown;
        },
      },
    ]);
    await expect(failed).rejects.toThrow(/"1": ended with 1; "throws": no luck/);
    await expect(failed).rejects.toBeInstanceOf(ExploreError);
    expect(killed.toSorted()).toEqual([idOf(0), idOf(1)]);
  });

  test('an abort kills every copy', async () => {
    const { daemon, parent, killed } = await forkingDaemon();
    await using _ = daemon;
    const controller = new AbortController();
    const stop = {
      label: 'stop',
      fn: async () => {
        controller.abort(new Error('enough'));
        await new Promise(setImmediate);
        throw new Error('aborted');
      },
    };
    const failed = parent.explore(['0', stop, '0'], {
      signal: controller.signal,
      maxConcurrency: 1,
    });
    await expect(failed).rejects.toThrow('enough');
    expect(killed.toSorted()).toEqual([idOf(0), idOf(1), idOf(2)]);
  });

  test('candidates without a copy are told; too many, or none, are refused', async () => {
    const { daemon, parent } = await forkingDaemon((wanted) => wanted - 1);
    await using _ = daemon;
    const { errors, outcomes } = await parent.explore(['0', '0', 'last']);
    expect(outcomes.length).toBe(2);
    expect(errors).toEqual(['last was not tried: no copy could be made. The limit is reached.']);
    await expect(parent.explore([])).rejects.toThrow(ExploreError);
    const many = Array.from({ length: 17 }, () => '0');
    await expect(parent.explore(many)).rejects.toThrow(/17 candidates/);
  });
});
