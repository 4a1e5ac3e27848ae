import { directoryListingSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Canary,
  codeOf,
  expectServing,
  faultOf,
  filePath,
  hostileArchives,
  innocentName,
  innocentText,
  json,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';
import { rawTar } from '../harness/raw-tar.ts';

const used = useDaemon();
let canary: Canary;
beforeAll(() => {
  canary = new Canary();
});
afterAll(() => canary.remove());

/** Codes that say what is wrong with an archive, or with what it brings. */
const refusals = [
  'invalid_archive',
  'unsafe_archive',
  'payload_too_large',
  'already_exists',
  'invalid_path',
];

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  const tree = async (path: string) =>
    directoryListingSchema.parse(
      json(await used.api.send('GET', `${filePath(box.id, '/dir', path)}&recursive=true`), 200),
    ).entries;

  describe('a hostile archive', () => {
    test.each(hostileArchives().map((archive) => [archive.name, archive] as const))(
      '%s stays in its directory',
      async (name, { bytes, outcome, limits = {} }) => {
        const top = `/tmp/hostile/${name}`;
        await used.api.write(box.id, `${top}/target/${innocentName}`, innocentText);
        await used.api.write(box.id, `${top}/canary`, 'beside the target');
        const outside = async () => {
          const around = await tree(top);
          const beside = around.filter(({ path }) => !path.startsWith(`${top}/target`));
          return JSON.stringify([beside, await used.api.names(box.id, '/tmp')]);
        };
        const before = await outside();
        const query = Object.entries({
          max_bytes: limits.maxBytes,
          max_entries: limits.maxEntries,
        }).flatMap(([key, value]) => (value === undefined ? [] : [`&${key}=${value}`]));
        for (const more of ['', '&keep_owner=true']) {
          const path = `${filePath(box.id, '/archive', `${top}/target`)}${query.join('')}${more}`;
          const answer = await used.api.send('PUT', path, { body: bytes });
          const code = codeOf(answer);
          if (outcome === 'refused') expect(refusals).toContain(code);
          else expect(['ok', ...refusals]).toContain(code);
          expect(await outside()).toBe(before);
        }
        expect(String(await used.api.read(box.id, `${top}/target/${innocentName}`))).toBe(
          innocentText,
        );
        const left = (await tree(`${top}/target`)).map((entry) => entry.name);
        expect(left.filter((each) => each.startsWith('.sandport-'))).toEqual([]);
        canary.expectUntouched();
      },
    );
  });

  test('programs that run as their owner need the owner to come with them', async () => {
    const archive = hostileArchives().find(({ name }) => name === 'setuid');
    const put = (query: string) =>
      used.api.send('PUT', `${filePath(box.id, '/archive', '/tmp/setuid')}${query}`, {
        body: archive?.bytes ?? '',
      });
    expect(codeOf(await put(''))).toBe('ok');
    expect((await used.api.stat(box.id, '/tmp/setuid/su')).permissions).toBe('0755');
    expect(codeOf(await put('&keep_owner=true'))).toBe('ok');
    expect((await used.api.stat(box.id, '/tmp/setuid/su')).permissions).toBe('6755');
  });

  test.each(['/proc', '/sys/fs', '/dev', '/run/sandport/x'])(
    'nothing is unpacked into %s',
    async (path) => {
      const archive = hostileArchives().find(({ name }) => name === 'setuid');
      const answer = await used.api.send('PUT', filePath(box.id, '/archive', path), {
        body: archive?.bytes ?? '',
      });
      faultOf(answer, 'not_a_regular_file');
    },
  );

  test('an archive for the root cannot reach the areas of the kernel', async () => {
    for (const name of ['proc/x', 'dev/null', 'run/sandport/x', 'proc']) {
      const body = rawTar({ name, content: 'x' });
      const answer = await used.api.send('PUT', filePath(box.id, '/archive', '/'), { body });
      expect(['not_a_regular_file', 'already_exists']).toContain(codeOf(answer));
    }
    await expectServing(used, box.id);
  });
});
