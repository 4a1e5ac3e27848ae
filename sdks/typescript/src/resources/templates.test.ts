import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BadRequestError } from '../errors/api-errors.ts';
import { digestField, FakeDaemon, type FakeExchange, reset } from '../testing/fake-daemon.ts';

const build = {
  id: '3f6c1b9e-0d1a-4c5b-9f0e-2a7d4e8b1c23',
  name: 'mine',
  status: 'running',
  started_at: '2026-01-02T03:04:05.000Z',
};
const template = {
  name: 'mine',
  description: '',
  aliases: [],
  status: 'ready',
  source: 'an image',
  removable: true,
  size_bytes: 1,
  user: 'root',
  workdir: '/',
  env: {},
  cpu: 1,
  memory_mb: 512,
};
const logs = ({ response }: FakeExchange, lines: readonly string[], end?: [string, object]) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const line of lines) response.write(`event: log\ndata: ${JSON.stringify({ line })}\n\n`);
  if (end !== undefined) response.end(`event: ${end[0]}\ndata: ${JSON.stringify(end[1])}\n\n`);
};

test('build sends the archive, then follows the log over a broken connection', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sandport-archive-'));
  const archiveFile = join(directory, 'image.tar');
  writeFileSync(archiveFile, 'an archive');
  const seen: unknown[] = [];
  let connections = 0;
  await using daemon = await FakeDaemon.start(async (exchange) => {
    const { url, request } = exchange;
    if (url.pathname.endsWith('/archives')) {
      const bytes = await exchange.body();
      seen.push(bytes.toString(), request.trailers['repr-digest'] === digestField(bytes));
      exchange.json(201, { upload: 'u1', bytes: bytes.length });
    } else if (request.method === 'POST') {
      seen.push(JSON.parse((await exchange.body()).toString()));
      exchange.json(202, build);
    } else if (connections++ === 0) {
      logs(exchange, ['one', 'two']);
      setTimeout(() => reset(request.socket), 50);
    } else logs(exchange, ['one', 'two', 'three'], ['done', template]);
  });
  const lines: string[] = [];
  const progress: number[] = [];
  try {
    const built = await daemon.client.templates.build('mine', {
      archiveFile,
      fromSandbox: undefined,
      env: { A: 'b' },
      resources: { memoryMb: 256 },
      onLog: (line) => lines.push(line),
      onProgress: ({ bytes }) => progress.push(bytes),
    });
    expect(built).toEqual(template);
  } finally {
    rmSync(directory, { recursive: true });
  }
  expect(lines).toEqual(['one', 'two', 'three']);
  expect(progress.at(-1)).toBe(10);
  const body = { name: 'mine', upload: 'u1', env: { A: 'b' }, resources: { memory_mb: 256 } };
  expect(seen).toEqual(['an archive', true, { ...body, detach: true }]);
});

test('what a build fails with is thrown as it is, and not taken for a broken connection', async () => {
  await using daemon = await FakeDaemon.start((exchange) => {
    if (exchange.request.method === 'POST') return exchange.json(202, build);
    logs(exchange, ['one'], ['error', { error: 'No image.', code: 'invalid_image' }]);
  });
  const failed = daemon.client.templates.build('mine', { image: 'x' });
  await expect(failed).rejects.toThrow(BadRequestError);
  await expect(failed).rejects.toThrow('No image.');
  expect(daemon.requests.length).toBe(2);
});

test('the signal cancels the build', async () => {
  const controller = new AbortController();
  await using daemon = await FakeDaemon.start((exchange) => {
    if (exchange.request.method === 'POST') exchange.json(202, build);
    else if (exchange.request.method === 'DELETE') exchange.response.writeHead(204).end();
    else logs(exchange, ['one']);
  });
  const onLog = () => controller.abort(new Error('enough'));
  const { signal } = controller;
  await expect(daemon.client.templates.build('mine', { onLog, signal })).rejects.toThrow('enough');
  expect(daemon.requests.at(-1)).toBe(`DELETE /v1/templates/builds/${build.id}`);
});
