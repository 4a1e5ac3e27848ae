import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import type { DriverSandbox } from '@sandport/driver';
import { openState, type State } from '@sandport/state';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Engine } from '../engine.ts';
import type { HeldUpload, UploadSink } from './held-upload.ts';
import { MemoryStagedFiles } from '../testing/memory-staged-files.ts';
import { RefusingDriver } from '../testing/refusing-driver.ts';
import { Uploads, type UploadsOptions } from './uploads.ts';

const principal = { keyId: 'k' };
const path = '/workspace/file';

let staged: MemoryStagedFiles;
let state: State;
let engine: Engine;
let sandbox: string;
const made: Uploads[] = [];

beforeEach(async () => {
  staged = new MemoryStagedFiles();
  state = openState(':memory:');
  // Only uploads are looked at here.
  const parts = { files: { staged }, commands: { kept: () => [] } } as unknown as Pick<
    DriverSandbox,
    'files' | 'commands'
  >;
  const driver = new RefusingDriver();
  driver.create = async ({ id }) => ({
    id,
    ...parts,
    paused: false,
    died: new Promise(() => undefined),
  });
  engine = new Engine({ state, driver });
  sandbox = (await engine.sandboxes.create(principal, {})).id;
});

afterEach(() => {
  vi.useRealTimers();
  for (const uploads of made.splice(0)) uploads[Symbol.dispose]();
  engine[Symbol.dispose]();
  state[Symbol.dispose]();
});

/** As after a start of the daemon: nothing but the table is remembered. */
function start(options: Partial<UploadsOptions> = {}): Uploads {
  const { sandboxes, files } = engine;
  const log = () => undefined;
  const uploads = new Uploads({ table: state.uploads, sandboxes, files, log, ...options });
  uploads.start();
  made.push(uploads);
  return uploads;
}

const sending =
  (text: string) =>
  async ({ stream, saw }: UploadSink) => {
    saw(Buffer.from(text));
    stream.end(text);
    await finished(stream);
  };

async function begin(uploads: Uploads, text: string, metadata = {}): Promise<string> {
  const request = { size: text.length, metadata: { path, ...metadata } };
  using upload = await uploads.create(principal, sandbox, request);
  return upload.row.id;
}

async function held(
  uploads: Uploads,
  id: string,
  use: (upload: HeldUpload) => Promise<unknown>,
): Promise<void> {
  using upload = await uploads.hold(principal, sandbox, id);
  await use(upload);
}

test('a file whose bytes had come when the daemon ended appears when its client asks', async () => {
  const before = start();
  const id = await begin(before, 'whole');
  await held(before, id, (upload) => upload.append(0, false, sending('whole')));
  expect(staged.published.size).toBe(0);
  const after = start();
  expect(await after.look(principal, sandbox, id)).toMatchObject({
    offset: 5,
    row: { etag: '"etag"' },
  });
  expect(staged.published.get(path)?.toString()).toBe('whole');
});

test('an upload expires after its last byte, and its bytes are removed', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  const uploads = start({ lifetimeMs: 900 });
  const [left, fed] = [await begin(uploads, 'left'), await begin(uploads, 'fed!')];
  await vi.advanceTimersByTimeAsync(600);
  await held(uploads, fed, (upload) => upload.append(0, false, sending('fe')));
  await vi.advanceTimersByTimeAsync(600);
  await expect(uploads.look(principal, sandbox, left)).rejects.toMatchObject({
    code: 'upload_not_found',
  });
  expect((await uploads.look(principal, sandbox, fed)).offset).toBe(2);
  await vi.advanceTimersByTimeAsync(700);
  expect(staged.staged.size).toBe(0);
  expect(await uploads.list(principal, sandbox)).toEqual([]);
});

test('what has expired while no daemon ran is removed at the start', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  await begin(start({ lifetimeMs: 50 }), 'old');
  for (const uploads of made.splice(0)) uploads[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(100);
  expect(staged.staged.size).toBe(1);
  start();
  await vi.advanceTimersByTimeAsync(0);
  expect(staged.staged.size).toBe(0);
});

test('the SHA-256 is made while the bytes come, and from the file after a restart', async () => {
  const sha256 = createHash('sha256').update('abcdef').digest('hex');
  const uploads = start();
  const together = await begin(uploads, 'abcdef', { sha256 });
  await held(uploads, together, async (upload) => {
    await upload.append(0, false, sending('abc'));
    await upload.append(3, false, sending('def'));
    expect(await upload.finish()).toBe('"etag"');
  });
  expect(staged.reads).toBe(0);
  const apart = await begin(uploads, 'abcdef', { sha256 });
  await held(uploads, apart, (upload) => upload.append(0, false, sending('abc')));
  await held(start(), apart, async (upload) => {
    await upload.append(3, false, sending('def'));
    expect(await upload.finish()).toBe('"etag"');
  });
  expect(staged.reads).toBe(1);
});

test('bytes that failed their check never count, even when they cannot be cut off', async () => {
  const uploads = start();
  const id = await begin(uploads, 'abcdef');
  const failing = async (sink: UploadSink) => {
    await sending('xyz')(sink);
    throw new Error('wrong');
  };
  staged.failingTruncates = 1;
  await held(uploads, id, async (upload) => {
    await upload.append(0, false, sending('abc'));
    await expect(upload.append(3, true, failing)).rejects.toThrow('the disk failed');
    expect(await upload.offset()).toBe(3);
  });
  const after = start();
  expect((await after.look(principal, sandbox, id)).offset).toBe(3);
  await held(after, id, async (upload) => {
    expect(await upload.append(3, false, sending('def'))).toBe(6);
    await upload.finish();
  });
  expect(staged.published.get(path)?.toString()).toBe('abcdef');
});

test('after a failed precondition the upload is over', async () => {
  const uploads = start();
  const id = await begin(uploads, 'abc', { if_match: '"other"' });
  await held(uploads, id, async (upload) => {
    await upload.append(0, false, sending('abc'));
    await expect(upload.finish()).rejects.toMatchObject({ code: 'precondition_failed' });
  });
  expect(staged.staged.size).toBe(0);
  expect(state.uploads.get(id)).toBeUndefined();
});
