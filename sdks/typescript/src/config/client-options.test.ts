import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigurationError } from '../errors/client-errors.ts';
import { resolveClientConfig } from './client-options.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sandport-config-'));
});
afterEach(() => rm(home, { recursive: true }));

async function writeClientJson(text: string, base = join(home, '.config')) {
  await mkdir(join(base, 'sandport'), { recursive: true });
  await writeFile(join(base, 'sandport', 'client.json'), text);
}

describe('resolveClientConfig', () => {
  test('options win over the environment, the environment over client.json', async () => {
    await writeClientJson('{"url":"http://file:1","api_key":"file-key"}');
    expect(resolveClientConfig({}, { HOME: home })).toMatchObject({
      url: 'http://file:1',
      apiKey: 'file-key',
      idleTimeoutMs: 60_000,
    });
    const env = { HOME: home, SANDPORT_URL: 'http://env:2/', SANDPORT_API_KEY: 'env-key' };
    expect(resolveClientConfig({}, env)).toMatchObject({ url: 'http://env:2', apiKey: 'env-key' });
    const options = { url: 'https://option:3/base/', apiKey: 'option-key' };
    expect(resolveClientConfig(options, env)).toMatchObject({
      url: 'https://option:3/base',
      apiKey: 'option-key',
    });
  });

  test('XDG_CONFIG_HOME moves client.json', async () => {
    await writeClientJson('{"url":"http://xdg:1","api_key":"k"}', join(home, 'xdg'));
    const env = { HOME: home, XDG_CONFIG_HOME: join(home, 'xdg') };
    expect(resolveClientConfig({}, env).url).toBe('http://xdg:1');
  });

  test('the key of client.json goes to no other address', async () => {
    await writeClientJson('{"url":"http://127.0.0.1:8420","api_key":"file-key"}');
    const env = { HOME: home };
    expect(resolveClientConfig({ url: 'http://127.0.0.1:8420/' }, env).apiKey).toBe('file-key');
    expect(() => resolveClientConfig({ url: 'http://elsewhere' }, env)).toThrow(/no API key/);
  });

  test.each(['', '[]', 'null', '{"url":5}', '{nonsense'])(
    'client.json with %j counts as empty, and the error says how to go on',
    async (text) => {
      await writeClientJson(text);
      expect(() => resolveClientConfig({}, { HOME: home })).toThrow(/sandport serve/);
    },
  );

  test.each(['nonsense', 'ftp://host', 'unix:/socket'])('%s is no address', (url) => {
    expect(() => resolveClientConfig({ url, apiKey: 'k' }, {})).toThrow(ConfigurationError);
  });

  test('a key that could split a header is refused', () => {
    const options = { url: 'http://host', apiKey: 'a\r\nb' };
    expect(() => resolveClientConfig(options, {})).toThrow(ConfigurationError);
  });
});
