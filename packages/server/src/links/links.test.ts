import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Script } from 'node:vm';
import { SandportFault } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { attachment } from './content-disposition.ts';
import { addressOf } from './link-address.ts';
import { linkFault } from './link-fault.ts';
import { uploadPage, uploadPagePolicy } from './upload-page.ts';

const page = (name: string) =>
  uploadPage({ name, maxBytes: 1_000, expiresAt: new Date(1_700_000_000_000) });

test('the page runs and shows what its policy names, and nothing else', () => {
  const html = page('file');
  for (const tag of ['script', 'style']) {
    const [, text = ''] = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html) ?? [];
    const sha256 = createHash('sha256').update(text).digest('base64');
    expect(uploadPagePolicy).toContain(`${tag}-src 'sha256-${sha256}'`);
    if (tag === 'script') expect(() => new Script(text)).not.toThrow();
  }
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html).not.toMatch(/\son\w+=|src=|href=|style=/);
});

test('the name of the file is text on the page', () => {
  const html = page(`<script>alert("1")</script>&'`);
  expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;');
  expect(html.match(/<script/g)).toHaveLength(1);
});

test.each([
  ['report.pdf', `attachment; filename="report.pdf"; filename*=UTF-8''report.pdf`],
  [
    'a "b"\r\nX: y',
    `attachment; filename="a _b___X_ y"; filename*=UTF-8''a%20%22b%22%0D%0AX%3A%20y`,
  ],
  ["ü'(1)*", `attachment; filename="___1__"; filename*=UTF-8''%C3%BC%27%281%29%2A`],
])('%j is saved under its name', (name, field) => {
  expect(attachment(name)).toBe(field);
});

test.each([
  [{ host: 'box:8420' }, 'http://box:8420/v1/x'],
  [{ host: '[::1]:80', 'x-forwarded-proto': 'https' }, 'https://[::1]:80/v1/x'],
  [{ host: 'inner', 'x-forwarded-host': 'outer, inner' }, 'http://outer/v1/x'],
  [{ host: 'a/b@c' }, 'http://127.0.0.1:1/v1/x'],
  [{}, 'http://127.0.0.1:1/v1/x'],
])('with %j the address is %s', (headers, address) => {
  const socket = { localAddress: '127.0.0.1', localPort: 1 };
  // Only these two are looked at.
  const request = { headers, socket } as unknown as IncomingMessage;
  expect(addressOf(request, '/v1/x')).toBe(address);
});

test('errors lose the path, and keep what does not tell it', () => {
  const details = { path: '/secret/file', errno: 'ENOENT' };
  const fault = linkFault(
    new SandportFault('file_not_found', 'Nothing at /secret/file.', details),
    'file',
  );
  expect(fault).toMatchObject({ code: 'file_not_found', details: { path: 'file' } });
  expect(JSON.stringify(fault) + String(fault)).not.toContain('secret');
});
