import { type Namespace, namespaceSchema, type SandboxEvent } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from './engine.ts';
import { maxEventsOfSandbox } from './events.ts';
import type { Principal } from './principal.ts';
import { StatesDriver } from './testing/states-driver.ts';

const key: Principal = { keyId: 'k' };
const namespace = (name: string): Namespace => namespaceSchema.parse(name);

function begin() {
  const state = openState(':memory:');
  const engine = new Engine({ state, driver: new StatesDriver() });
  const typesOf = (events: SandboxEvent[]) => events.map(({ type }) => type);
  const end = new AbortController();
  return {
    state,
    engine,
    end,
    typesOf,
    follow: (sandbox: string | undefined, options: { tail?: number; after?: number } = {}) =>
      engine.events.follow(key, sandbox, { ...options, signal: end.signal }),
    [Symbol.dispose]: () => {
      engine[Symbol.dispose]();
      state[Symbol.dispose]();
    },
  };
}

async function take(events: AsyncGenerator<SandboxEvent>, count: number): Promise<SandboxEvent[]> {
  const taken: SandboxEvent[] = [];
  while (taken.length < count) {
    const step = await events.next();
    if (step.done === true) break;
    taken.push(step.value);
  }
  return taken;
}

test('who follows gets what was and what comes, each once, until the sandbox is gone', async () => {
  using used = begin();
  const { sandboxes } = used.engine;
  const { id } = await sandboxes.create(key, {});
  await sandboxes.enter(key, id, 'pause');
  const followed = used.follow(id);
  expect(used.typesOf(await take(followed, 2))).toEqual(['created', 'paused']);
  const next = followed.next();
  await sandboxes.enter(key, id, 'resume');
  await sandboxes.enter(key, id, 'hibernate');
  expect((await next).value).toMatchObject({ type: 'resumed', sandbox_id: id });
  await sandboxes.remove(key, id);
  expect(used.typesOf(await take(followed, 9))).toEqual(['hibernated', 'deleted']);
  const again = await take(used.follow(id), 9);
  expect(used.typesOf(again)).toHaveLength(5);
  expect(again.map((event) => event.id)).toEqual(again.map((event) => event.id).sort());
});

test('who comes back goes on behind the last event', async () => {
  using used = begin();
  const { sandboxes } = used.engine;
  const { id } = await sandboxes.create(key, {});
  for (let round = 0; round < 100; round++) {
    await sandboxes.enter(key, id, 'pause');
    await sandboxes.enter(key, id, 'resume');
  }
  const all = used.engine.events.list(key, id, { tail: 1000 });
  expect(all).toHaveLength(201);
  expect(used.engine.events.list(key, id)).toEqual(all.slice(-50));
  expect(used.engine.events.list(key, id, { tail: 0 })).toEqual([]);
  const after = all[20]?.id ?? 0;
  expect(await take(used.follow(id, { after }), 180)).toEqual(all.slice(21));
  const [tail] = await take(used.follow(id, { tail: 1 }), 1);
  expect(tail).toEqual(all.at(-1));
  // An id of another daemon's: nothing before now, and nothing is missed from now on.
  const foreign = used.follow(id, { after: 10 ** 12 }).next();
  await sandboxes.enter(key, id, 'pause');
  expect((await foreign).value).toMatchObject({ type: 'paused' });
});

test('the end of a signal ends the events', async () => {
  using used = begin();
  const followed = used.follow(undefined, { tail: 0 });
  const next = followed.next();
  used.end.abort();
  expect((await next).done).toBe(true);
});

test('a key sees the events of its namespaces, also of sandboxes that are gone', async () => {
  using used = begin();
  const { sandboxes, events } = used.engine;
  const mine = await sandboxes.create(key, { namespace: namespace('mine') });
  const theirs = await sandboxes.create(key, { namespace: namespace('theirs') });
  await sandboxes.remove(key, theirs.id);
  const own: Principal = { keyId: 'o', namespaces: new Set([namespace('mine')]) };
  expect(events.list(own).map((event) => event.sandbox_id)).toEqual([mine.id]);
  expect(events.list(key)).toHaveLength(3);
  expect(events.list(key, theirs.id)).toHaveLength(2);
  for (const id of [theirs.id, 'never-was']) {
    expect(() => events.list(own, id)).toThrow(id);
    expect(() => used.engine.events.follow(own, id, { signal: used.end.signal })).toThrow(id);
  }
  await sandboxes.remove(key, mine.id);
  expect(events.list(own, mine.id)).toHaveLength(2);
});

test('a sandbox has no more events than are kept', async () => {
  using used = begin();
  const row = { id: 'busy', namespace: namespace('default') } as Parameters<
    Engine['events']['emit']
  >[0];
  for (let count = 0; count < maxEventsOfSandbox + 300; count++)
    used.engine.events.emit(row, 'changed', { count });
  const kept = used.state.events.last(2 * maxEventsOfSandbox);
  expect(kept).toHaveLength(maxEventsOfSandbox);
  expect(kept.at(-1)?.payload).toEqual({ count: maxEventsOfSandbox + 299 });
});
