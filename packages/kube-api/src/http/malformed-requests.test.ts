import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ToyApi } from '../testing/toy-api.ts';

const collection = '/apis/example.org/v1/namespaces/default/widgets';
let toy: ToyApi;
beforeAll(async () => {
  toy = await ToyApi.start();
  toy.store.create('widgets.example.org', {
    apiVersion: 'example.org/v1',
    kind: 'Widget',
    metadata: { name: 'one', namespace: 'default' },
    spec: { size: 1 },
  });
});
afterAll(() => toy[Symbol.asyncDispose]());

const widget = { kind: 'Widget', apiVersion: 'example.org/v1' };
const runs = { numRuns: 100 };
const methods = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS');
const word = fc.oneof(
  fc.constantFrom('api', 'apis', 'v1', 'example.org', 'namespaces', 'default', 'widgets', 'pods'),
  fc.constantFrom(
    'one',
    'status',
    'scale',
    'exec',
    'portforward',
    'openapi',
    'v2',
    '..',
    '%2e%2e',
    '%',
  ),
  fc.string({ maxLength: 12 }).map(encodeURIComponent),
);

/** An answer that a client understands, and no fault of the server. */
async function answers(method: string, path: string, init: RequestInit = {}): Promise<void> {
  const response = await fetch(toy.url + path, { method, ...init });
  const text = await response.text();
  if (!response.ok && method !== 'HEAD') {
    expect(JSON.parse(text)).toMatchObject({ kind: 'Status', code: response.status });
  }
  expect(response.status).toBeLessThan(500);
  expect(toy.faults).toEqual([]);
}

describe('malformed requests are answered with a Status', { timeout: 120_000 }, () => {
  test('paths', () =>
    fc.assert(
      fc.asyncProperty(methods, fc.array(word, { maxLength: 9 }), (method, words) =>
        answers(method, `/${words.join('/')}`),
      ),
      runs,
    ));

  test('queries', () => {
    const names = fc.constantFrom(
      'limit',
      'continue',
      'resourceVersion',
      'resourceVersionMatch',
      'labelSelector',
      'fieldSelector',
      'includeObject',
      'dryRun',
      'fieldManager',
      'fieldValidation',
      'propagationPolicy',
      'sendInitialEvents',
    );
    const values = fc.oneof(
      fc.string(),
      fc.constantFrom('1', 'true', 'All', 'Exact', 'Strict', '0'),
    );
    const pairs = fc.array(fc.tuple(names, values), { maxLength: 5 });
    return fc.assert(
      fc.asyncProperty(methods, pairs, async (method, query) => {
        const path = `${collection}${method === 'GET' ? '' : '/none'}?${new URLSearchParams(query)}`;
        // Only a revision that was never given is a matter of time, 504.
        if (query.some(([name]) => name === 'resourceVersion')) return;
        await answers(method, path);
      }),
      runs,
    );
  });

  test('bodies', () => {
    const bodies = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.json(),
      fc.object({ maxDepth: 4 }).map((fields) => JSON.stringify({ kind: 'Widget', ...fields })),
      fc.jsonValue().map((value) => JSON.stringify({ ...widget, metadata: value, spec: value })),
      fc.jsonValue().map((value) => JSON.stringify({ ...widget, metadata: { name: value } })),
      fc.uint8Array({ maxLength: 200 }),
    );
    const types = fc.constantFrom(
      'application/json',
      'application/yaml',
      'application/vnd.kubernetes.protobuf',
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/strategic-merge-patch+json',
      'application/apply-patch+yaml',
    );
    const targets = fc.constantFrom<[string, string]>(
      ['POST', collection],
      ['PUT', `${collection}/one`],
      ['PATCH', `${collection}/one`],
      ['PATCH', `${collection}/one/status`],
      ['PATCH', `${collection}/one/scale`],
      ['PATCH', `${collection}/one?fieldManager=x&force=1`],
      ['DELETE', `${collection}/none`],
      ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'],
      ['POST', '/api/v1/namespaces'],
    );
    return fc.assert(
      fc.asyncProperty(targets, bodies, types, ([method, path], body, type) =>
        answers(method, path, {
          body: typeof body === 'string' ? body : Buffer.from(body),
          headers: { 'Content-Type': type },
        }),
      ),
      { numRuns: 300 },
    );
  });

  test('headers', () =>
    fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[ -~]{0,60}$/),
        fc.constantFrom('Accept', 'Accept-Encoding', 'User-Agent', 'Content-Type', 'If-None-Match'),
        (value, name) => answers('GET', collection, { headers: { [name]: value } }),
      ),
      runs,
    ));

  test('bytes', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(
          '',
          'GET /api',
          'POST * HTTP/1.1\r\n',
          'GET http://x/api HTTP/1.1\r\nHost: x\r\n',
        ),
        async (bytes, head) => {
          const socket = connect(Number(new URL(toy.url).port), '127.0.0.1');
          socket.on('error', () => {});
          socket.resume();
          socket.end(Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n\r\n')]));
          await once(socket, 'close');
          expect(toy.faults).toEqual([]);
        },
      ),
      runs,
    ));

  test('upgrades', async () => {
    for (const path of ['/', '/api/v1/namespaces/default/pods/x/exec', collection, '/%']) {
      const socket = connect(Number(new URL(toy.url).port), '127.0.0.1');
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 404 Not Found\r\n[\s\S]*"kind":"Status"/);
      socket.destroy();
    }
    await answers('GET', collection);
  });
});
