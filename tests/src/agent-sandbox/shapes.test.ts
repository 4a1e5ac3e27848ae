import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  agents,
  claimReady,
  exchange,
  extensions,
  type HttpAnswer,
  Kube,
  useDaemon,
} from '../harness/index.ts';

/**
 * What clients of the two runtimes, of the router and of the two versions of the resources expect,
 * request by request: status, headers and the shape of the body.
 */
const used = useDaemon({ kubernetes: true });
let kube: Kube;

beforeAll(async () => {
  kube = await Kube.of(used.daemon);
  await claimReady(kube, 'box');
  const { id } = await used.api.get('box');
  await used.api.exec(
    id,
    'mkdir -p dir/sub && printf hello > dir/a.txt && ln -s nowhere dir/broken && ln -s sub dir/link',
    { cwd: '/home/user' },
  );
});
afterAll(() => kube?.[Symbol.dispose]());

interface Row {
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly status: number;
  readonly answerHeaders?: Readonly<Record<string, unknown>>;
  /** JSON of the answer; left out: not looked at. */
  readonly json?: unknown;
  readonly text?: string;
}

const multipart = (filename: string, content: string | Buffer, field = 'file') => ({
  headers: { 'content-type': 'multipart/form-data; boundary=b' },
  body: Buffer.concat([
    Buffer.from(
      `--b\r\nContent-Disposition: form-data; name="${field}"; filename="${filename}"\r\n\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n--b--\r\n'),
  ]),
});

const execute = (body: unknown) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const missing = (field: string) => ({
  detail: [expect.objectContaining({ type: 'missing', loc: ['body', field] })],
});

const pythonRuntime: readonly Row[] = [
  { request: 'GET /', status: 200, json: { status: 'ok', message: expect.any(String) } },
  {
    request: 'POST /execute',
    ...execute({ command: 'echo out; echo err >&2; exit 3' }),
    status: 200,
    json: expect.objectContaining({ stdout: 'out\n', stderr: 'err\n', exit_code: 3 }),
  },
  {
    request: 'POST /execute',
    ...execute({ command: 'kill -9 $$' }),
    status: 200,
    json: expect.objectContaining({ exit_code: -9 }),
  },
  {
    request: 'POST /execute',
    ...execute({ command: "printf '\\377\\376'" }),
    status: 200,
    json: expect.objectContaining({ stdout: '��', exit_code: 0 }),
  },
  {
    request: 'POST /execute',
    ...execute({ command: 'sleep 30', timeout_seconds: 0.3 }),
    status: 200,
    json: expect.objectContaining({ timed_out: true }),
  },
  { request: 'POST /execute', ...execute({}), status: 422, json: missing('command') },
  { request: 'POST /execute', ...execute({ command: 1 }), status: 422 },
  {
    request: 'POST /execute',
    headers: { 'content-type': 'application/json' },
    body: '{',
    status: 422,
  },
  {
    request: 'POST /upload',
    ...multipart('new/deep/é%22.txt', 'content'),
    status: 200,
    json: { message: "File 'new/deep/é\".txt' uploaded successfully." },
  },
  { request: 'POST /upload', ...multipart('x', 'y', 'other'), status: 422, json: missing('file') },
  { request: 'GET /download/new%2Fdeep%2F%C3%A9%22.txt', status: 200, text: 'content' },
  {
    request: 'GET /download/dir%2Fa.txt',
    status: 200,
    text: 'hello',
    answerHeaders: {
      'content-type': 'application/octet-stream',
      'content-length': '5',
      etag: expect.any(String),
      'content-disposition': expect.stringContaining('a.txt'),
    },
  },
  {
    request: 'GET /download/%2Fhome%2Fuser%2Fdir%2Fa.txt',
    headers: { range: 'bytes=1-2' },
    status: 206,
    text: 'el',
    answerHeaders: { 'content-range': 'bytes 1-2/5' },
  },
  { request: 'GET /download/home%2Fuser%2Fdir%2Fa.txt', status: 200, text: 'hello' },
  { request: 'GET /download/none', status: 404, json: { message: 'File not found' } },
  { request: 'GET /download/dir', status: 404, json: { message: 'File not found' } },
  {
    request: 'GET /list/dir',
    status: 200,
    json: [
      { name: 'a.txt', size: 5, type: 'file', mod_time: expect.any(Number) },
      expect.objectContaining({ name: 'broken', type: 'file' }),
      expect.objectContaining({ name: 'link', type: 'directory' }),
      expect.objectContaining({ name: 'sub', type: 'directory' }),
    ],
  },
  { request: 'GET /list/%2Fhome%2Fuser%2Fdir%2Fsub', status: 200, json: [] },
  { request: 'GET /list/', status: 200, json: expect.any(Array) },
  { request: 'GET /list/none', status: 404, json: { message: 'Path is not a directory' } },
  { request: 'GET /exists/dir', status: 200, json: { path: 'dir', exists: true } },
  { request: 'GET /exists/none', status: 200, json: { path: 'none', exists: false } },
];

const sandboxd: readonly Row[] = [
  {
    request: 'GET /v1/health',
    status: 200,
    json: { status: 'ok', uptime_seconds: expect.any(Number) },
  },
  { request: 'GET /v1/metadata', status: 200, json: { env: expect.any(Object) } },
  {
    request: 'PUT /v1/files/made%2Fby%2Fput?mode=0600',
    headers: { 'content-type': 'application/octet-stream' },
    body: 'put',
    status: 204,
    text: '',
  },
  { request: 'GET /v1/files/made%2Fby%2Fput', status: 200, text: 'put' },
  {
    request: 'HEAD /v1/files/made%2Fby%2Fput',
    status: 200,
    answerHeaders: { 'content-length': '3' },
  },
  {
    request: 'GET /v1/files/made%2Fby',
    status: 200,
    json: {
      path: expect.any(String),
      entries: [
        {
          name: 'put',
          size: 3,
          type: 'file',
          modified_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*Z$/),
          mode: '0600',
        },
      ],
    },
  },
  {
    request: 'GET /v1/files/none',
    status: 404,
    json: { code: 'NOT_FOUND', message: expect.any(String) },
  },
  {
    request: 'PUT /v1/files/made',
    body: 'x',
    status: 400,
    json: { code: 'INVALID_ARGUMENT', message: expect.any(String) },
  },
  {
    request: 'PUT /v1/files/x?mode=999',
    body: 'x',
    status: 400,
    json: { code: 'INVALID_ARGUMENT', message: expect.any(String) },
  },
  {
    request: 'DELETE /v1/files/made',
    status: 409,
    json: { code: 'CONFLICT', message: expect.any(String) },
  },
  { request: 'DELETE /v1/files/made?recursive=true', status: 204, text: '' },
  {
    request: 'DELETE /v1/files/made',
    status: 404,
    json: { code: 'NOT_FOUND', message: expect.any(String) },
  },
];

const router: readonly Row[] = [
  { request: 'GET /healthz', status: 200, json: { status: 'ok' } },
  ...[
    { headers: { 'x-sandbox-id': '' }, detail: 'X-Sandbox-ID header is required.' },
    { headers: { 'x-sandbox-id': 'Not_A_Label' }, detail: 'Invalid sandbox ID format.' },
    { headers: { 'x-sandbox-namespace': '..' }, detail: 'Invalid namespace format.' },
    { headers: { 'x-sandbox-port': 'eighty' }, detail: 'Invalid port format.' },
    { headers: { 'x-sandbox-pod-ip': '127.0.0.1' }, detail: 'Invalid target IP address.' },
  ].map(({ headers, detail }) => ({
    request: 'GET /',
    headers,
    status: 400,
    json: { detail },
  })),
  {
    request: 'GET /',
    headers: { 'x-sandbox-id': 'nobody' },
    status: 502,
    json: { detail: 'Could not connect to the backend sandbox: nobody' },
  },
  {
    request: 'GET /',
    headers: { 'x-sandbox-port': '4321' },
    status: 502,
    json: { detail: 'Could not connect to the backend sandbox: box' },
  },
];

async function ask(row: Row, port: string): Promise<HttpAnswer> {
  const [method = '', path = ''] = row.request.split(' ');
  return exchange(used.daemon.url, {
    method,
    path: `/agent-sandbox/router${path}`,
    headers: {
      authorization: `Bearer ${used.daemon.apiKey}`,
      'x-sandbox-id': 'box',
      'x-sandbox-port': port,
      ...row.headers,
    },
    ...(row.body === undefined ? {} : { body: row.body }),
  });
}

for (const [title, port, rows] of [
  ['the router', '8888', router],
  ['the python runtime', '8888', pythonRuntime],
  ['sandboxd', '8080', sandboxd],
] as const)
  describe(title, () => {
    for (const [at, row] of rows.entries())
      test(`${at + 1}. ${row.request} ${JSON.stringify(row.headers ?? {})} ${String(row.body ?? '')
        .slice(0, 80)
        .replaceAll(/\s+/g, ' ')}`, async () => {
        const answer = await ask(row, port);
        const text = answer.body.toString();
        expect(answer.status, text).toBe(row.status);
        if (row.answerHeaders !== undefined)
          expect(answer.headers).toMatchObject(row.answerHeaders);
        if (row.text !== undefined) expect(text).toBe(row.text);
        if (row.json !== undefined) expect(JSON.parse(text)).toEqual(row.json);
      });
  });

describe('the resources, in both versions', () => {
  test('a claim has the references of its version', async () => {
    const old = await kube.object(200, 'GET', `${extensions('v1alpha1')}/sandboxclaims/box`);
    const current = await kube.object(200, 'GET', `${extensions('v1beta1')}/sandboxclaims/box`);
    expect(old.spec).toMatchObject({ sandboxTemplateRef: { name: expect.any(String) } });
    expect(old.spec).not.toHaveProperty('warmPoolRef');
    expect(current.spec).toMatchObject({ warmPoolRef: { name: 'base' } });
    for (const claim of [old, current])
      expect(claim.status).toMatchObject({
        sandbox: { name: 'box', podIPs: expect.any(Array) },
        conditions: expect.arrayContaining([
          expect.objectContaining({
            type: 'Ready',
            status: 'True',
            lastTransitionTime: expect.any(String),
          }),
        ]),
      });
  });

  test('a sandbox counts replicas in one and has a mode in the other', async () => {
    const old = await kube.object(200, 'GET', `${agents('v1alpha1')}/sandboxes/box`);
    const current = await kube.object(200, 'GET', `${agents('v1beta1')}/sandboxes/box`);
    expect(old.spec).toMatchObject({ replicas: 1 });
    expect(old.status).toMatchObject({ replicas: 1 });
    expect(current.spec).toMatchObject({ operatingMode: 'Running' });
    expect(current.spec).not.toHaveProperty('replicas');
    expect(current.metadata.annotations?.['agents.x-k8s.io/pod-name'] ?? 'box').toBe('box');
    const scale = await kube.send('GET', `${agents('v1alpha1')}/sandboxes/box/scale`);
    expect(scale.body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 1 },
      status: { replicas: 1, selector: expect.any(String) },
    });
  });

  test('what is written in one version is read in the other', async () => {
    const templates = (version: string) => `${extensions(version)}/sandboxtemplates`;
    const body = (version: string, name: string) => ({
      apiVersion: `extensions.agents.x-k8s.io/${version}`,
      kind: 'SandboxTemplate',
      metadata: { name },
      spec: { podTemplate: { spec: { containers: [{ name: 'main', image: 'base' }] } } },
    });
    for (const [wrote, reads] of [
      ['v1alpha1', 'v1beta1'],
      ['v1beta1', 'v1alpha1'],
    ] as const) {
      const name = `from-${wrote}`;
      await kube.object(201, 'POST', templates(wrote), body(wrote, name));
      const read = await kube.object(200, 'GET', `${templates(reads)}/${name}`);
      expect(read.apiVersion).toBe(`extensions.agents.x-k8s.io/${reads}`);
      expect(read.spec).toMatchObject({
        podTemplate: { spec: { containers: [{ name: 'main', image: 'base' }] } },
      });
    }
  });

  test('errors are Status objects with the codes of Kubernetes', async () => {
    const claims = `${extensions('v1beta1')}/sandboxclaims`;
    const rows: readonly [string, string, unknown, number, string][] = [
      ['GET', `${claims}/none`, undefined, 404, 'NotFound'],
      ['DELETE', `${claims}/none`, undefined, 404, 'NotFound'],
      ['GET', '/apis/no.such.group/v1/things', undefined, 404, 'NotFound'],
      ['POST', claims, { ...existing, metadata: { name: 'box' } }, 409, 'AlreadyExists'],
      ['POST', claims, { ...existing, metadata: { name: 'Not Valid' } }, 422, 'Invalid'],
      ['POST', claims, { ...existing, spec: {} }, 422, 'Invalid'],
      ['POST', claims, 'not json', 400, 'BadRequest'],
      ['POST', claims, { ...existing, kind: 'Sandbox' }, 400, 'BadRequest'],
    ];
    for (const [method, path, body, code, reason] of rows) {
      const answer = await kube.send(method, path, body);
      expect(answer, `${method} ${path} ${JSON.stringify(body)}`).toMatchObject({
        status: code,
        body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code },
      });
    }
  });
});

const existing = {
  apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
  kind: 'SandboxClaim',
  metadata: { name: 'another' },
  spec: { warmPoolRef: { name: 'base' } },
};
