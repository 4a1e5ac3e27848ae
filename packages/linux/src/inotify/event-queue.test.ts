import { afterEach, expect, test } from 'vitest';
import { EventQueue, eventQueueLimits } from './event-queue.ts';
import type { DirectoryEvent } from './watch-event.ts';

const limits = { ...eventQueueLimits };

afterEach(() => {
  Object.assign(eventQueueLimits, limits);
});

const created = (path: string): DirectoryEvent => ({ kind: 'created', path, type: 'file' });
const renamed = (from: string, path: string): DirectoryEvent => ({
  kind: 'renamed',
  from,
  path,
  type: 'file',
});

/** All that waits. */
async function taken(queue: EventQueue): Promise<string[]> {
  queue.end();
  const texts: string[] = [];
  for await (const event of queue) {
    texts.push('path' in event ? event.path.slice(0, 8) : event.kind);
  }
  return texts;
}

test('events that are too many become one resync, and what comes later is told', async () => {
  eventQueueLimits.events = 3;
  const queue = new EventQueue();
  for (const name of ['a', 'b', 'c', 'd', 'e']) queue.push(created(name));
  expect(await taken(queue)).toEqual(['resync', 'd', 'e']);
});

test('so do a few whose paths are too long: memory does not grow with what a guest names', async () => {
  eventQueueLimits.pathUnits = 100;
  const queue = new EventQueue();
  queue.push(created('a'.repeat(60)));
  queue.push(created('b'.repeat(40)));
  queue.push(renamed('c'.repeat(30), 'd'.repeat(30)));
  queue.push(created('e'.repeat(40)));
  queue.push(created('f'));
  expect(await taken(queue)).toEqual(['resync', 'f']);
});

test('what a reader takes makes room again', async () => {
  eventQueueLimits.pathUnits = 100;
  const queue = new EventQueue();
  const reader = queue[Symbol.asyncIterator]();
  for (let round = 0; round < 20; round++) {
    queue.push(created(`${round}`.padEnd(60, 'x')));
    const { value } = await reader.next();
    expect(value).toMatchObject({ kind: 'created' });
  }
});
