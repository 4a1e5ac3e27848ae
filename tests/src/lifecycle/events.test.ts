import { eventListSchema, type SandboxEvent } from '@sandport/protocol';
import { afterEach, expect, test } from 'vitest';
import { type Api, faultOf, json, startDaemon, useDaemon } from '../harness/index.ts';
import { EventSource } from '../watch/event-source.ts';

const used = useDaemon();
afterEach(() => used.daemon.killSandboxes());

const typesOf = (events: readonly { type?: unknown }[]) => events.map(({ type }) => type);
const allEvents = async (api: Api, query = ''): Promise<SandboxEvent[]> =>
  eventListSchema.parse(json(await api.send('GET', `/v1/events${query}`), 200)).events;
const follow = (path: string, headers = {}) =>
  EventSource.open(used.api, `${path}${path.includes('?') ? '&' : '?'}follow`, headers);
const toldBy = (source: EventSource, count: number) =>
  expect.poll(() => source.told.length).toBe(count);

test('what happened is listed, oldest first, also when the sandbox is gone', async () => {
  const { api } = used;
  const { id } = await api.create({ name: 'told' });
  await api.enter(id, 'pause');
  await api.enter(id, 'resume');
  const events = await api.events(id);
  expect(typesOf(events)).toEqual(['created', 'paused', 'resumed']);
  expect(events[0]).toMatchObject({
    sandbox_id: id,
    payload: { boot_mode: 'cold', boot_ms: expect.any(Number) },
  });
  expect(await api.events('told', '?tail=1')).toEqual(events.slice(-1));
  expect(await api.events(id, '?tail=0')).toEqual([]);
  for (const tail of ['-1', 'x', '1.5', '10001'])
    faultOf(await api.send('GET', `/v1/sandboxes/${id}/events?tail=${tail}`), 'invalid_request');
  await api.kill(id);
  expect(typesOf(await api.events(id))).toEqual(['created', 'paused', 'resumed', 'deleted']);
  const { api: stranger } = await api.newKey({ namespaces: ['strange'] });
  for (const path of [`/v1/sandboxes/${id}/events`, `/v1/sandboxes/${id}/events?follow`])
    faultOf(await stranger.send('GET', path), 'sandbox_not_found');
  faultOf(await api.send('GET', '/v1/sandboxes/nobody/events?follow'), 'sandbox_not_found');
});

test('who follows gets each event once and in order, and goes on where the line was cut', async () => {
  const { api } = used;
  const { id } = await api.create();
  const path = `/v1/sandboxes/${id}/events`;
  const begun = await follow(path);
  await toldBy(begun, 1);
  const changes = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      await api.enter(id, 'pause');
      await api.enter(id, 'resume');
    }
  };
  await changes(10);
  await toldBy(begun, 21);
  begun.close();
  const last = begun.told.at(-1)?.id ?? '';
  expect(last).toBe(String(begun.told.at(-1)?.data['id']));
  const going = changes(10);
  using again = await follow(path, { 'Last-Event-ID': last });
  await going;
  await toldBy(again, 20);
  await api.kill(id);
  await again.ended;
  const told = [...begun.told, ...again.told];
  expect(new Set(told.map(({ event }) => event))).toEqual(new Set(['event']));
  expect(told.map(({ data }) => data)).toEqual(await api.events(id, '?tail=100'));
  using over = await follow(path);
  await over.ended;
  expect(typesOf(over.told.map(({ data }) => data)).at(-1)).toBe('deleted');
  for (const bad of ['x', '-1', '1.5'])
    await expect(follow(path, { 'Last-Event-ID': bad })).rejects.toThrow(/400.*invalid_request/);
});

test('a key follows its namespaces only', async () => {
  const { api } = used;
  const { api: own } = await api.newKey({ namespaces: ['mine'] });
  const before = await allEvents(own);
  using mine = await EventSource.open(own, '/v1/events?follow&tail=0');
  using all = await follow('/v1/events?tail=0');
  const theirs = await api.create({ namespace: 'theirs' });
  const { id } = await own.create({ namespace: 'mine' });
  await own.kill(id);
  await api.kill(theirs.id);
  await toldBy(all, 4);
  expect(mine.told.map(({ data }) => [data['sandbox_id'], data['type']])).toEqual([
    [id, 'created'],
    [id, 'deleted'],
  ]);
  expect(typesOf((await allEvents(own)).slice(before.length))).toEqual(['created', 'deleted']);
  expect((await allEvents(api, '?tail=4')).map(({ sandbox_id }) => sandbox_id)).toEqual([
    theirs.id,
    id,
    id,
    theirs.id,
  ]);
});

test('following is no use of a sandbox, and neither outlives nor holds up the daemon', async () => {
  await using daemon = await startDaemon();
  const { api } = daemon;
  const { id } = await api.create({ idle_timeout_seconds: 1 });
  const path = `/v1/sandboxes/${id}/events`;
  const source = await EventSource.open(api, `${path}?follow`);
  await expect
    .poll(() => typesOf(source.told.map(({ data }) => data)), { timeout: 5_000 })
    .toEqual(['created', 'idle', 'hibernated']);
  expect(await daemon.stop()).toBeLessThan(3_000);
  await source.ended;
  await daemon.start();
  const after = await daemon.api.events(id);
  expect(after).toEqual(source.told.map(({ data }) => data));
});
