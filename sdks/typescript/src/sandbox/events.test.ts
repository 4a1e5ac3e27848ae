import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { NotFoundError } from '../errors/api-errors.ts';
import { FakeDaemon, reset } from '../testing/fake-daemon.ts';

const event = (id: number, type = 'paused') => ({
  id,
  time: '2026-01-02T03:04:05.000Z',
  sandbox_id: 'box',
  type,
  payload: {},
});
const stream = (response: ServerResponse, ...ids: readonly number[]) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const id of ids) response.write(`event: event\ndata: ${JSON.stringify(event(id))}\n\n`);
};

describe('followEvents', () => {
  test('goes on behind the last event after a broken connection', async () => {
    const begins: unknown[] = [];
    await using daemon = await FakeDaemon.start(({ request, response, url, json }) => {
      if (url.searchParams.get('follow') === null) return json(200, { events: [event(4)] });
      begins.push([request.headers['last-event-id'], url.searchParams.get('tail')]);
      if (begins.length === 1) {
        stream(response, 5, 6);
        setTimeout(() => reset(request.socket), 50);
      } else if (begins.length === 2) json(503, { error: 'Stopping.', code: 'shutting_down' });
      else stream(response, 7);
    });
    const retries: string[] = [];
    const seen: number[] = [];
    const onRetry = ({ error }: { error: { code: string } }) => retries.push(error.code);
    for await (const { id } of daemon.client.followEvents({ onRetry })) {
      seen.push(id);
      if (id === 7) break;
    }
    expect(seen).toEqual([5, 6, 7]);
    expect(begins).toEqual([
      ['4', null],
      ['6', null],
      ['6', null],
    ]);
    expect(retries).toEqual(['network_error', 'shutting_down']);
  });

  test('asks for what has happened only when told to', async () => {
    await using daemon = await FakeDaemon.start(({ response }) => stream(response, 1));
    for await (const { id } of daemon.client.followEvents({ tail: 9 })) {
      expect(id).toBe(1);
      break;
    }
    expect(daemon.requests).toEqual(['GET /v1/events?follow=true&tail=9']);
  });

  test('ends with its sandbox, and throws for one that never was', async () => {
    await using daemon = await FakeDaemon.start(({ response, url, json }) => {
      if (url.pathname.startsWith('/v1/sandboxes/gone') && url.searchParams.has('follow')) {
        stream(response, 1);
        response.end();
      } else json(404, { error: 'No such sandbox.', code: 'sandbox_not_found' });
    });
    const seen: number[] = [];
    for await (const { id } of daemon.client.followEvents({ sandbox: 'gone', tail: 1 }))
      seen.push(id);
    expect(seen).toEqual([1]);
    const none = daemon.client.followEvents({ sandbox: 'never', tail: 1 });
    await expect(none.next()).rejects.toThrow(NotFoundError);
  });

  test('ends with the reason of the signal', async () => {
    await using daemon = await FakeDaemon.start(({ response }) => stream(response, 1));
    const controller = new AbortController();
    const events = daemon.client.followEvents({ tail: 1, signal: controller.signal });
    await events.next();
    const next = events.next();
    controller.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
  });
});
