import { beforeAll, expect, test } from 'vitest';
import { extensions, Kube, useDaemon, waitFor, type WatchEvent } from '../harness/index.ts';

const used = useDaemon({ kubernetes: true, args: ['--pod-network', 'off'] });
const templates = `${extensions('v1beta1')}/sandboxtemplates`;
let kube: Kube;
beforeAll(async () => {
  kube = await Kube.of(used.daemon);
});

const template = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
  kind: 'SandboxTemplate',
  metadata: { name, labels },
  spec: { podTemplate: { spec: { containers: [{ name: 'main', image: 'base' }] } } },
});

const label = (name: string, value: string) =>
  kube.object(
    200,
    'PATCH',
    `${templates}/${name}`,
    { metadata: { labels: { value } } },
    { 'content-type': 'application/merge-patch+json' },
  );

/** Collects the events of a watch in the background. */
function collect(path: string) {
  const events: WatchEvent[] = [];
  const end = new AbortController();
  const done = (async () => {
    for await (const event of kube.watch(path, end.signal)) events.push(event);
  })();
  return {
    events,
    done,
    stop: async () => {
      end.abort();
      await done;
    },
  };
}

const revisions = (events: readonly WatchEvent[]) =>
  events.map(({ object }) => Number(object.metadata.resourceVersion));

test('a thousand changes come in order, each once, also over reconnections', async () => {
  const made = await kube.object(201, 'POST', templates, template('thousand'));
  const selected = `${templates}?fieldSelector=metadata.name%3Dthousand`;
  let from = made.metadata.resourceVersion;
  const seen: WatchEvent[] = [];
  const writing = (async () => {
    for (let value = 1; value <= 1000; value++) await label('thousand', String(value));
  })();
  // Every hundred events the client comes back with the last revision that it saw.
  while (seen.length < 1000) {
    const end = new AbortController();
    let count = 0;
    for await (const event of kube.watch(`${selected}&resourceVersion=${from}`, end.signal)) {
      seen.push(event);
      from = event.object.metadata.resourceVersion;
      if (++count === 100) end.abort();
    }
  }
  await writing;
  const values = seen.map(
    ({ object }) => (object.metadata as { labels?: { value?: string } }).labels?.value,
  );
  expect(values).toEqual(Array.from({ length: 1000 }, (_, at) => String(at + 1)));
  const numbers = revisions(seen);
  expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
  expect(new Set(numbers).size).toBe(1000);
});

test('200 watchers see every change, and one that reads nothing holds none of them', async () => {
  await kube.object(201, 'POST', templates, template('crowd'));
  const selected = `${templates}?fieldSelector=metadata.name%3Dcrowd`;
  // Never read: its connection is opened, and its answer left in the buffers.
  const stuck = kube.watch(`${selected}&resourceVersion=0`, new AbortController().signal);
  await stuck.next();
  const watchers = Array.from({ length: 200 }, () => collect(`${selected}&resourceVersion=0`));
  await waitFor(() => watchers.every(({ events }) => events.length === 1), {
    timeoutMs: 30_000,
    what: 'the first event of 200 watches',
  });
  const startedAt = performance.now();
  for (let value = 1; value <= 50; value++) await label('crowd', `round-${value}`);
  await waitFor(() => watchers.every(({ events }) => events.length === 51), {
    timeoutMs: 30_000,
    what: '50 changes at 200 watchers',
  });
  const took = performance.now() - startedAt;
  for (const { events } of watchers)
    expect(events.slice(1).every(({ type }) => type === 'MODIFIED')).toBe(true);
  await Promise.all(watchers.map(({ stop }) => stop()));
  await stuck.return(undefined);
  console.log(`10,000 events to 200 watchers in ${took.toFixed(0)} ms`);
}, 120_000);

test('objects come and go as they enter and leave a selection', async () => {
  const watcher = collect(
    `${templates}?labelSelector=${encodeURIComponent('colour in (red,blue)')}`,
  );
  await kube.object(201, 'POST', templates, template('first', { colour: 'blue' }));
  await waitFor(() => watcher.events.length === 1, { what: 'the first event' });
  await kube.object(201, 'POST', templates, template('painted', { colour: 'red' }));
  const paint = (colour: string | null) =>
    kube.object(
      200,
      'PATCH',
      `${templates}/painted`,
      { metadata: { labels: { colour } } },
      { 'content-type': 'application/merge-patch+json' },
    );
  await paint('blue');
  await paint('green');
  await paint('red');
  await kube.send('DELETE', `${templates}/painted`);
  await waitFor(() => watcher.events.length === 6, { what: 'five more events' });
  await watcher.stop();
  expect(watcher.events.slice(1).map(({ type }) => type)).toEqual([
    'ADDED',
    'MODIFIED',
    'DELETED',
    'ADDED',
    'DELETED',
  ]);
});

test('a watch ends cleanly at its time, and sends a bookmark when the list is over', async () => {
  const startedAt = performance.now();
  const query = 'allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  const events: WatchEvent[] = [];
  const path = `${templates}?${query}&timeoutSeconds=1`;
  for await (const event of kube.watch(path, AbortSignal.timeout(20_000))) events.push(event);
  expect(performance.now() - startedAt).toBeGreaterThan(900);
  const bookmark = events.find(({ type }) => type === 'BOOKMARK');
  expect(bookmark?.object.metadata).toMatchObject({
    annotations: { 'k8s.io/initial-events-end': 'true' },
  });
  expect(events.filter(({ type }) => type === 'ADDED').length).toBeGreaterThanOrEqual(2);
});

test('revisions grow over restarts, and what is compacted is answered with 410', async () => {
  const before = await kube.object(201, 'POST', templates, template('kept'));
  await used.daemon.kill9();
  await used.daemon.start();
  kube[Symbol.dispose]();
  kube = await Kube.of(used.daemon);
  const after = await kube.object(200, 'GET', `${templates}/kept`);
  expect(after.metadata.uid).toBe(before.metadata.uid);
  const next = await kube.object(201, 'POST', templates, template('next'));
  expect(Number(next.metadata.resourceVersion)).toBeGreaterThan(
    Number(before.metadata.resourceVersion),
  );
  const old = `${templates}?watch=1&resourceVersion=1&timeoutSeconds=5`;
  const answer = await kube.send('GET', old);
  // Either the request is refused, or the stream begins with an error: clients know both.
  const gone = answer.status === 200 ? (answer.body as { object: unknown }).object : answer.body;
  expect(gone).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' });
});
