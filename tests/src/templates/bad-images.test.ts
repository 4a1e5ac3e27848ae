import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import {
  build,
  dockerArchive,
  type ImageSpec,
  layer,
  ociArchive,
  rawEntry,
  type RawEntry,
  rawPax,
  rawTar,
  templateNames,
  testRun,
  useDaemon,
  writeLayout,
} from '../harness/index.ts';

const room = mkdtempSync(join(testRun().tempDir, 'bad-images-'));
const templatesDir = join(room, 'templates');
const used = useDaemon({
  env: { SANDPORT_TEMPLATES_DIR: templatesDir },
  args: ['--prepare', 'none'],
});
afterAll(() => rm(room, { recursive: true, force: true }));

let made = 0;
const place = (): string => join(room, `image-${++made}`);
const archiveOf = (bytes: Buffer): string => {
  const path = place();
  writeFileSync(path, bytes);
  return path;
};
const layoutOf = (image: ImageSpec): string => writeLayout(place(), image);
const file = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({
  name,
  content: 'of the image',
  ...more,
});

/** Nothing of a build that failed is left: no version, no half of one, nothing of the archive. */
function expectNothingOf(name: string): void {
  const home = join(templatesDir, name);
  const left = readdirSync(templatesDir).includes(name) ? readdirSync(home) : [];
  expect(left.filter((entry) => entry !== '.lock')).toEqual([]);
}

describe('images that cannot be used', () => {
  const good = (): ImageSpec => ({ layers: [layer(file('a'))] });
  const changed = (
    kind: 'layer' | 'config' | 'manifest' | 'index',
    to: (bytes: Buffer) => Buffer | string,
  ): string =>
    layoutOf({
      ...good(),
      change: (part) => (part.kind === kind ? Buffer.from(to(part.bytes)) : part.bytes),
    });
  const bad: [string, () => string, RegExp][] = [
    ['another processor', () => layoutOf({ ...good(), architecture: 's390x' }), /s390x/],
    ['another system', () => layoutOf({ ...good(), os: 'windows' }), /windows/],
    [
      'a changed layer',
      () => changed('layer', (b) => Buffer.alloc(b.length, 7)),
      /digest|hash|sha256/i,
    ],
    ['a truncated layer', () => changed('layer', (b) => b.subarray(0, b.length / 2)), /./],
    ['an empty layer blob', () => changed('layer', () => ''), /./],
    ['a manifest that is no JSON', () => changed('manifest', () => '{"config":'), /./],
    ['a config that is no JSON', () => changed('config', () => 'nothing'), /./],
    ['an index that is no JSON', () => changed('index', () => '[[['), /./],
    [
      'an index without images',
      () => changed('index', () => '{"schemaVersion":2,"manifests":[]}'),
      /./,
    ],
    [
      'an index of numbers',
      () => changed('index', () => '{"schemaVersion":2,"manifests":[1,2]}'),
      /./,
    ],
    ['a truncated archive', () => archiveOf(ociArchive(good()).subarray(0, 2000)), /./],
    [
      'a truncated archive of gzip',
      () => archiveOf(gzipSync(dockerArchive(good())).subarray(0, 300)),
      /damaged/,
    ],
    ['an archive of something else', () => archiveOf(rawTar(file('readme'))), /docker save/],
    ['no archive', () => archiveOf(Buffer.from('#!/bin/sh\necho hello\n')), /tar/],
    ['an empty file', () => archiveOf(Buffer.alloc(0)), /./],
    ['nothing at the path', () => join(room, 'nowhere'), /nothing at the path/],
    ['a device', () => '/dev/zero', /neither/],
    ['a directory of something else', () => '/usr/bin', /OCI layout/],
    ['a user that it has not', () => layoutOf({ ...good(), config: { User: 'ghost' } }), /ghost/],
    ['a user beyond the ids', () => layoutOf({ ...good(), config: { User: '70000' } }), /70000/],
    [
      'a group that it has not',
      () => layoutOf({ ...good(), config: { User: '1:ghost' } }),
      /ghost/,
    ],
    [
      'a config of the wrong shape',
      () => layoutOf({ ...good(), config: { Env: 'PATH=/' } as Record<string, unknown> }),
      /./,
    ],
    [
      'a directory that is a file',
      () => layoutOf({ ...good(), config: { WorkingDir: '/a/b' } }),
      /not a directory/,
    ],
    [
      'a huge environment',
      () => layoutOf({ ...good(), config: { Env: [`A=${'x'.repeat(100_000)}`] } }),
      /environment/,
    ],
    [
      'layers that are no tar',
      () => layoutOf({ layers: [Buffer.from('not a tar'.repeat(200))] }),
      /./,
    ],
    [
      'a layer with a header of 2 GiB',
      () =>
        layoutOf({ layers: [layer(rawEntry({ name: 'x', type: 'x', size: 2 ** 31 }), file('a'))] }),
      /too large|./,
    ],
    [
      'a sparse file of 8 TiB',
      () =>
        layoutOf({
          layers: [
            layer(
              rawPax({
                'GNU.sparse.major': '1',
                'GNU.sparse.minor': '0',
                'GNU.sparse.name': 'huge',
                'GNU.sparse.realsize': String(8 * 2 ** 40),
              }),
              file('huge', { content: `1\n0\n0\n${'\0'.repeat(506)}` }),
            ),
          ],
        }),
      /MiB/,
    ],
  ];
  test.each(bad)('%s', async (what, write, reason) => {
    const name = `bad-${bad.findIndex(([each]) => each === what)}`;
    const { fault, log } = await build(used.api, { name, archive: write() });
    expect(fault, log.join('\n')).toMatchObject({ code: 'invalid_image', template: name });
    expect(fault?.error).toMatch(reason);
    expect(fault?.error).toMatch(/^The template "bad-\d+" cannot be made of the archive: .*\.$/s);
    expect(fault?.error.split('\n').length).toBe(1);
    expectNothingOf(name);
    expect(await templateNames(used.api)).not.toContain(name);
  });
});

test('a million entries are refused before any is made', async () => {
  const one = rawEntry({ name: 'entry', content: '' });
  const tar = Buffer.concat([...Array<Buffer>(1_000_001).fill(one), Buffer.alloc(1024)]);
  const { fault } = await build(used.api, { name: 'many', archive: layoutOf({ layers: [tar] }) });
  expect(fault).toMatchObject({ code: 'invalid_image', reason: /1000000 entries/ });
  expectNothingOf('many');
}, 240_000);

test('gigabytes of zeros cost time, not memory, and a build of them can be ended', async () => {
  const zeros = Buffer.alloc(64 * 2 ** 20);
  const tar = layer(file('zeros', { content: zeros }));
  const image = { layers: Array<Buffer>(24).fill(tar) };
  const path = layoutOf(image);
  const before = memoryOf(used.daemon.pid);
  const answer = await used.api.sendJson('POST', '/v1/templates/build', {
    name: 'zeros',
    archive: path,
    detach: true,
  });
  expect(answer.status).toBe(202);
  const { id } = JSON.parse(answer.body.toString()) as { id: string };
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect(memoryOf(used.daemon.pid) - before).toBeLessThan(128 * 1024);
  const cancelled = await used.api.send('DELETE', `/v1/templates/builds/${id}`);
  expect(cancelled.status).toBe(204);
  const ended = await used.api.send('GET', `/v1/templates/builds/${id}`);
  expect(JSON.parse(ended.body.toString())).toMatchObject({ status: 'failed' });
  expectNothingOf('zeros');
}, 120_000);

/** KiB of memory that a process holds. */
const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
