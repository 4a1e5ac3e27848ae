import { expect, test } from 'vitest';
import { NotFoundError } from './errors/api-errors.ts';
import { FakeDaemon } from './testing/fake-daemon.ts';

test('tells how clients of Kubernetes reach the daemon', async () => {
  const found = {
    server: 'https://127.0.0.1:8421',
    certificate_authority: 'PEM',
    namespaces: null,
    router: 'http://127.0.0.1:8420/agent-sandbox/router',
  };
  await using daemon = await FakeDaemon.start((exchange) => exchange.json(200, found));
  expect(await daemon.client.kubernetes()).toEqual(found);
  expect(daemon.requests).toEqual(['GET /v1/kubernetes']);
});

test('a daemon that does not listen for them is a NotFoundError', async () => {
  await using daemon = await FakeDaemon.start((exchange) =>
    exchange.json(404, { error: 'This daemon does not listen.', code: 'kubernetes_off' }),
  );
  const failure = await daemon.client.kubernetes().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(NotFoundError);
  expect(failure).toMatchObject({ code: 'kubernetes_off' });
});
