import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { linkSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  faultOf,
  json,
  onEachIsolation,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { makeLink, useLink } from './make-link.ts';

const used = useDaemon();
const run = promisify(execFile);
let local: string;
beforeAll(async () => {
  local = await mkdtemp(join(tmpdir(), 'sandport-links-'));
});
afterAll(() => rm(local, { recursive: true }));

onEachIsolation(used, (isolation) => {
  const sandbox = useSandbox(used, isolation);
  const path = '/workspace/deep/a "file" ü.bin';

  test('curl uploads by one link and downloads by another, and goes on where it stopped', async () => {
    const { api } = used;
    const bytes = randomBytes(300_000);
    const [from, to] = [join(local, 'from'), join(local, 'to')];
    await writeFile(from, bytes);
    const up = await makeLink(api, sandbox.id, { path, method: 'PUT', expires_in_seconds: 60 });
    expect(up.url).toBe(`${api.url}${up.url_path}`);
    const sent = await run('curl', ['-sS', '--fail-with-body', '-T', from, up.url]);
    expect(JSON.parse(sent.stdout)).toMatchObject({ path: 'a "file" ü.bin', bytes: 300_000 });
    expect((await api.read(sandbox.id, path)).equals(bytes)).toBe(true);
    const down = await makeLink(api, sandbox.id, { path });
    await writeFile(to, bytes.subarray(0, 100_000));
    await run('curl', ['-sS', '--fail-with-body', '-C', '-', '-o', to, down.url]);
    expect((await readFile(to)).equals(bytes)).toBe(true);
    const head = await run('curl', ['-sS', '-I', down.url]);
    expect(head.stdout).toContain('200 OK');
    expect(head.stdout).toContain('Content-Length: 300000');
  });

  test('a download cannot run in a browser, and is kept by nobody', async () => {
    const { api } = used;
    await api.write(sandbox.id, path, '<script>alert(1)</script>');
    const answer = await useLink(api, await makeLink(api, sandbox.id, { path }));
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition':
        'attachment; filename="a _file_ _.bin"; filename*=UTF-8\'\'a%20%22file%22%20%C3%BC.bin',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
    });
    expect(answer.body.toString()).toBe('<script>alert(1)</script>');
  });
});

describe('a link', () => {
  const sandbox = useSandbox(used, 'container');
  const path = '/workspace/secret place/file.txt';

  test('is for one method, and for browsers that upload a page', async () => {
    const { api } = used;
    await api.write(sandbox.id, path, 'old');
    const down = await makeLink(api, sandbox.id, { path });
    const put = await useLink(api, down, { method: 'PUT', body: 'x' });
    expect(faultOf(put, 'method_not_allowed')).toMatchObject({ known: ['GET'] });
    const up = await makeLink(api, sandbox.id, { path, method: 'PUT' });
    const get = await useLink(api, up);
    expect(faultOf(get, 'method_not_allowed')).toMatchObject({ known: ['PUT'] });
    expect(get.headers.allow).toBe('PUT');
    const page = await useLink(api, up, { headers: { Accept: 'text/html,*/*;q=0.8' } });
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.body.toString()).not.toMatch(/secret place|https?:|src=/);
    expect((await api.read(sandbox.id, path)).toString()).toBe('old');
    faultOf(await useLink(api, up, { method: 'DELETE' }), 'unauthorized');
    const options = await useLink(api, up, { method: 'OPTIONS' });
    expect(options.headers['access-control-allow-methods']).toBe('GET, HEAD, PUT');
  });

  test('ends with its time, when it is revoked, and with the key that made it', async () => {
    const { api } = used;
    await api.write(sandbox.id, path, 'here');
    const short = await makeLink(api, sandbox.id, { path, expires_in_seconds: 3 });
    const revoked = await makeLink(api, sandbox.id, { path });
    const other = await api.newKey();
    const ofOther = await makeLink(other.api, sandbox.id, { path });
    for (const link of [short, revoked, ofOther])
      expect((await useLink(api, link)).status).toBe(200);
    const listed = await api.send('GET', `/v1/sandboxes/${sandbox.id}/fs/links`);
    const ids = z
      .array(linkSchema)
      .parse(json(listed, 200))
      .map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([short.id, revoked.id, ofOther.id]));
    expect(listed.body.toString()).not.toContain(revoked.url_path.slice('/v1/links/'.length));
    await api.send('DELETE', `/v1/sandboxes/${sandbox.id}/fs/links/${revoked.id}`);
    await api.send('DELETE', `/v1/keys/${other.id}`);
    await waitFor(() => Date.now() > Date.parse(short.expires_at), { what: 'its end' });
    for (const link of [short, revoked, ofOther])
      faultOf(await useLink(api, link), 'link_not_found');
    const again = await api.send('DELETE', `/v1/sandboxes/${sandbox.id}/fs/links/${revoked.id}`);
    faultOf(again, 'link_not_found');
  });

  test('says the same whether it never was or its sandbox is gone', async () => {
    const { api } = used;
    const other = await api.create({ isolation: 'container' });
    const link = await makeLink(api, other.id, { path });
    await api.kill(other.id);
    const gone = await useLink(api, link);
    const never = await useLink(api, { ...link, url_path: `/v1/links/${'A'.repeat(43)}` });
    expect(faultOf(gone, 'link_not_found').error).toBe(faultOf(never, 'link_not_found').error);
    expect(Object.keys(gone.headers)).toEqual(Object.keys(never.headers));
  });

  test('shows no path but the last name, also in errors', async () => {
    const { api } = used;
    const missing = await makeLink(api, sandbox.id, { path: '/workspace/secret place/none' });
    const directory = await makeLink(api, sandbox.id, { path: '/workspace/secret place' });
    const below = await makeLink(api, sandbox.id, { path: `${path}/none`, method: 'PUT' });
    const answers = [
      [await useLink(api, missing), 'file_not_found'],
      [await useLink(api, directory), 'is_directory'],
      [await useLink(api, below, { method: 'PUT', body: 'x' }), 'not_a_directory'],
    ] as const;
    for (const [answer, code] of answers) {
      faultOf(answer, code);
      expect(answer.body.toString()).not.toContain('/workspace');
      expect(answer.headers['content-disposition']).toBeUndefined();
    }
  });

  test('takes no more bytes than it says, whether they are announced or not', async () => {
    const { api } = used;
    await api.write(sandbox.id, path, 'old');
    const up = await makeLink(api, sandbox.id, { path, method: 'PUT', max_bytes: 1_000_000 });
    const fits = await useLink(api, up, { method: 'PUT', body: Buffer.alloc(1_000_000) });
    expect(fits.status).toBe(200);
    const announced = await useLink(api, up, { method: 'PUT', body: Buffer.alloc(1_000_001) });
    expect(faultOf(announced, 'payload_too_large')).toMatchObject({ limit_bytes: 1_000_000 });
    const chunks = Readable.from([Buffer.alloc(900_000, 1), Buffer.alloc(900_000, 1)]);
    faultOf(await useLink(api, up, { method: 'PUT', body: chunks }), 'payload_too_large');
    expect((await api.read(sandbox.id, path)).equals(Buffer.alloc(1_000_000))).toBe(true);
    expect(await api.names(sandbox.id, '/workspace/secret place')).toEqual(['file.txt']);
  });

  test('leaves no trace of its secret in the log', async () => {
    const { api, daemon } = used;
    const link = await makeLink(api, sandbox.id, { path });
    await useLink(api, link);
    const last = await useLink(api, link, { method: 'POST', body: 'x' });
    const id = last.headers['x-request-id'];
    await waitFor(async () => (await daemon.log()).some((line) => line['id'] === id));
    const log = await readFile(daemon.logFile, 'utf8');
    expect(log).toContain('/v1/links/:token');
    expect(log).not.toContain(link.url_path.slice('/v1/links/'.length));
  });

  test('is made for valid paths and fields only', async () => {
    const { api } = used;
    const at = `/v1/sandboxes/${sandbox.id}/fs/links`;
    faultOf(await api.sendJson('POST', at, { path: 'relative' }), 'invalid_path');
    for (const fields of [
      { path, method: 'POST' },
      { path, max_bytes: 5 },
      { path, expires_in_seconds: 604_801 },
      { path, unknown: 1 },
      {},
    ])
      faultOf(await api.sendJson('POST', at, fields), 'invalid_request');
  });
});
