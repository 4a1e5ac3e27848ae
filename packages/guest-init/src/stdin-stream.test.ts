import { describe, expect, test } from 'vitest';
import { StdinStream } from './stdin-stream.ts';
import { STDIN_WINDOW_BYTES } from './wire.ts';

function collecting(): { stream: StdinStream; sent: Buffer[]; ended: () => number } {
  const sent: Buffer[] = [];
  let ended = 0;
  const stream = new StdinStream({
    data: (bytes) => sent.push(bytes),
    end: () => {
      ended += 1;
    },
  });
  return { stream, sent, ended: () => ended };
}

describe('StdinStream', () => {
  test('sends no more than its credit, and goes on when there is more', async () => {
    const { stream, sent, ended } = collecting();
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
    const finished = new Promise((resolve) => stream.end(bytes, () => resolve(undefined)));
    expect(Buffer.concat(sent).length).toBe(STDIN_WINDOW_BYTES);
    while (Buffer.concat(sent).length < bytes.length) {
      expect(stream.grant(20_000)).toBe(true);
    }
    await finished;
    expect(Buffer.concat(sent).equals(bytes)).toBe(true);
    expect(ended()).toBe(1);
  });

  test('refuses credit that nobody used', () => {
    const { stream } = collecting();
    expect(stream.grant(1)).toBe(false);
    stream.write(Buffer.alloc(10));
    expect(stream.grant(10)).toBe(true);
    expect(stream.grant(1)).toBe(false);
  });

  test('a writer that waits is told when the command ends', async () => {
    const { stream } = collecting();
    const outcome = new Promise((resolve) =>
      stream.write(Buffer.alloc(STDIN_WINDOW_BYTES + 1), (error) => resolve(error)),
    );
    stream.destroy();
    expect(await outcome).toBeInstanceOf(Error);
  });
});
