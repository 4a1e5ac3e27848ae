import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEventStream, type ServerSentEvent } from './event-stream.ts';

async function parse(chunks: readonly Uint8Array[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  async function* source() {
    yield* chunks;
  }
  for await (const event of parseEventStream(source())) events.push(event);
  return events;
}

describe('parseEventStream', () => {
  test('gives the same events however the bytes are cut', async () => {
    const event = fc.record({
      event: fc.constantFrom('stdout', 'exit', 'log'),
      data: fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => JSON.stringify({ text })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event), fc.integer({ min: 1, max: 9 }), async (events, size) => {
        const wire = events.map((each) => `event: ${each.event}\ndata: ${each.data}\n\n`).join('');
        const bytes = Buffer.from(wire);
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
        expect(await parse(chunks)).toEqual(events);
      }),
    );
  });

  test('takes CRLF, comments, several data lines and events without a name', async () => {
    const wire =
      ': hello\r\n\r\nevent:a\r\ndata: 1\r\ndata:2\r\nid: 7\r\n\r\ndata: x\n\nevent: none\n\n';
    for (const cut of [wire.length, 1, 2, 5]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < wire.length; at += cut)
        chunks.push(Buffer.from(wire.slice(at, at + cut)));
      expect(await parse(chunks)).toEqual([
        { event: 'a', data: '1\n2' },
        { event: 'message', data: 'x' },
      ]);
    }
  });

  test('leaves out an event that is cut off', async () => {
    expect(await parse([Buffer.from('data: 1\n\ndata: 2\n')])).toEqual([
      { event: 'message', data: '1' },
    ]);
  });
});
