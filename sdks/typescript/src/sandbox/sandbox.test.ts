import { describe, expect, test } from 'vitest';
import { NotFoundError, ServerError } from '../errors/api-errors.ts';
import { CommandError, NetworkError } from '../errors/client-errors.ts';
import { FakeDaemon, type FakeExchange } from '../testing/fake-daemon.ts';
import { sandboxInfo as info } from '../testing/sandbox-info.ts';
import { Sandbox } from './sandbox.ts';

const notFound = (exchange: FakeExchange) =>
  exchange.json(404, { error: 'No such sandbox.', code: 'sandbox_not_found' });

describe('Sandbox', () => {
  test('create sends the options in the words of the API', async () => {
    let body: unknown;
    await using daemon = await FakeDaemon.start(async (exchange) => {
      body = JSON.parse((await exchange.body()).toString());
      exchange.json(201, info({ name: 'box' }));
    });
    const sandbox = await Sandbox.create(
      {
        template: 'base',
        ttlSeconds: 60,
        resources: { memoryMb: 256, diskMb: 100 },
        volumes: [{ name: 'training-data', readOnly: true }, { name: 'out' }],
      },
      daemon.client,
    );
    expect(body).toEqual({
      template: 'base',
      ttl_seconds: 60,
      resources: { memory_mb: 256, disk_mb: 100 },
      volumes: [{ name: 'training-data', read_only: true }, { name: 'out' }],
    });
    expect(sandbox).toMatchObject({ name: 'box', status: 'running', template: 'base' });
    expect(sandbox.files).toBe(sandbox.filesystem);
  });

  test('kill takes a sandbox that is gone; get does not', async () => {
    let known = true;
    await using daemon = await FakeDaemon.start((exchange) => {
      if (!known) return notFound(exchange);
      if (exchange.request.method === 'DELETE') {
        known = false;
        exchange.response.writeHead(204).end();
      } else exchange.json(200, info());
    });
    {
      await using sandbox = await Sandbox.connect('box', daemon.client);
      await sandbox.kill();
      await sandbox.terminate();
      expect(sandbox.status).toBe('deleted');
    }
    await expect(Sandbox.get('box', daemon.client)).rejects.toThrow(NotFoundError);
  });

  test('list follows the cursor and sends the filter', async () => {
    await using daemon = await FakeDaemon.start((exchange) => {
      const second = exchange.url.searchParams.get('cursor') === 'c1';
      exchange.json(200, [info()], second ? {} : { 'x-next-cursor': 'c1' });
    });
    const filter = { template: 'base', metadata: { team: 'a b' } };
    expect((await Sandbox.list(filter, daemon.client)).length).toBe(2);
    expect(daemon.requests[0]).toBe(
      'GET /v1/sandboxes?template=base&limit=500&metadata.team=a%20b',
    );
  });

  test('one signal can stand over many requests', async () => {
    await using daemon = await FakeDaemon.start((exchange) => exchange.json(200, []));
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 30 }, () => Sandbox.list({ signal }, daemon.client)));
    await new Promise(setImmediate);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  test('exec checks the exit code when asked to', async () => {
    await using daemon = await FakeDaemon.start((exchange) => {
      if (exchange.request.method === 'GET') exchange.json(200, info());
      else exchange.json(200, { stdout: 'o', stderr: 'w\nbad\n', exit_code: 2, duration_ms: 1 });
    });
    const sandbox = await Sandbox.get('box', daemon.client);
    expect((await sandbox.exec('false')).exit_code).toBe(2);
    const error = await sandbox.exec('false', { check: true }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({
      exitCode: 2,
      stdout: 'o',
      message: expect.stringContaining('bad'),
    });
  });

  test('an answer that is no sandbox is a server error, not a broken object', async () => {
    await using daemon = await FakeDaemon.start((exchange) => exchange.json(200, { id: 5 }));
    await expect(Sandbox.get('box', daemon.client)).rejects.toThrow(ServerError);
  });

  test('a daemon that is not there is named, with the way to start it', async () => {
    const daemon = await FakeDaemon.start(notFound);
    await daemon[Symbol.asyncDispose]();
    const gone = Sandbox.get('box', daemon.client);
    await expect(gone).rejects.toThrow(NetworkError);
    await expect(gone).rejects.toThrow(/sandport serve/);
  });
});
