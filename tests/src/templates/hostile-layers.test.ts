import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  build,
  buildWell,
  type ImageSpec,
  layer,
  type RawEntry,
  rawPax,
  staticProgram,
  testRun,
  useDaemon,
  writeLayout,
} from '../harness/index.ts';

const room = mkdtempSync(join(testRun().tempDir, 'hostile-'));
const templatesDir = join(room, 'templates');
const used = useDaemon({
  env: { SANDPORT_TEMPLATES_DIR: templatesDir },
  args: ['--prepare', 'none'],
});
afterAll(() => rm(room, { recursive: true, force: true }));

let made = 0;
const place = (): string => join(room, `image-${++made}`);
const layoutOf = (image: ImageSpec): string => writeLayout(place(), image);
const file = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({
  name,
  content: 'of the image',
  ...more,
});
const link = (name: string, linkName: string, type = '2'): RawEntry => ({ name, type, linkName });
const directory = (name: string): RawEntry => ({ name, type: '5', mode: 0o755 });

/** Nothing of a build that failed is left: no version, no half of one, nothing of the archive. */
function expectNothingOf(name: string): void {
  const home = join(templatesDir, name);
  const left = readdirSync(templatesDir).includes(name) ? readdirSync(home) : [];
  expect(left.filter((entry) => entry !== '.lock')).toEqual([]);
}

/** What the attacks try to make or to change. */
const hostPicture = (): unknown[] =>
  [
    ...[
      '/etc/passwd',
      '/etc/group',
      '/etc/shadow',
      '/etc/hosts',
      '/usr/bin/find',
      '/usr/bin/umoci',
    ],
    ...['/escaped', '/tmp/escaped', '/usr/escaped', join(templatesDir, 'escaped')],
  ].map((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return [path, found?.ino, found?.nlink, found?.mode, found?.size, found?.ctimeMs];
  });

describe('layers that try to write outside', () => {
  const attacks: [string, Buffer[]][] = [
    ['`..` in names', [layer(file('../../../../escaped'), file('a/../../../../escaped'))]],
    ['absolute names', [layer(file('/escaped'), file('//escaped'), file('/tmp/../escaped'))]],
    [
      'a link out, and a file through it',
      [layer(link('out', '/'), file('out/escaped')), layer(file('out/escaped'))],
    ],
    [
      'a link out, made by an earlier layer',
      [layer(link('out', '../../../../../..')), layer(file('out/escaped'))],
    ],
    [
      'a directory through a link',
      [layer(link('out', '/')), layer(directory('out/escaped/'), file('out/escaped/file'))],
    ],
    [
      'hard links to files of the host',
      [layer(link('passwd', '/etc/passwd', '1'), link('shadow', '../../../etc/shadow', '1'))],
    ],
    [
      'a hard link through a link',
      [layer(link('etc', '/etc'), link('stolen', 'etc/passwd', '1'), file('stolen'))],
    ],
    ['whiteouts outside', [layer(directory('a/')), layer(file('../../.wh.a'), file('.wh...'))]],
    ['a whiteout of the root', [layer(file('a')), layer(file('.wh..'), file('.wh.'))]],
    [
      'an opaque mark through a link',
      [layer(link('out', '/')), layer(file('out/.wh..wh..opq'), file('out/escaped'))],
    ],
    ['the root as a link', [layer({ name: './', type: '2', linkName: '/' }, file('escaped'))]],
    ['links in a circle', [layer(link('a', 'b'), link('b', 'a'), file('a/escaped'))]],
    [
      'the tools of the unpacker',
      [layer(link('x', '/usr/bin'), file('x/umoci'), file('x/sh'), file('../usr/bin/find'))],
    ],
    [
      'system directories as links',
      [
        layer(
          ...['etc', 'run', 'tmp', 'mnt', 'proc', 'sys', 'dev', 'home', 'workspace'].map((name) =>
            link(name, '/../../../../../tmp'),
          ),
        ),
      ],
    ],
    [
      'files of /etc as links to those of the host',
      [
        layer(
          directory('etc/'),
          ...['passwd', 'group', 'shadow', 'hosts', 'hostname', 'resolv.conf', 'skel'].map((name) =>
            link(`etc/${name}`, `/../../../../etc/${name}`),
          ),
        ),
      ],
    ],
    [
      'system directories as files and FIFOs',
      [
        layer(
          file('tmp'),
          file('proc'),
          { name: 'dev', type: '6' },
          { name: 'etc', type: '6' },
          { name: 'home', type: '6' },
          file('workspace'),
        ),
      ],
    ],
    ['names in an extended header', [layer(rawPax({ path: '../../../../escaped' }), file('a'))]],
    [
      'targets in an extended header',
      [layer(rawPax({ linkpath: '/etc/passwd' }), link('a', 'b', '1'))],
    ],
    [
      'marks of the kernel for overlays',
      [
        layer(
          rawPax({ 'SCHILY.xattr.trusted.overlay.redirect': '/etc' }),
          directory('marked/'),
          rawPax({ 'SCHILY.xattr.trusted.overlay.metacopy': '' }),
          file('meta'),
        ),
      ],
    ],
    [
      'rights of files',
      [layer(rawPax({ 'SCHILY.xattr.security.capability': '\u0001\0\0\u0002' }), file('able'))],
    ],
    ['a deep tree', [layer(rawPax({ path: 'd/'.repeat(1900) }), directory('d/'))]],
    ['names with line ends and escapes', [layer(file('a\nb\u001b[31m'), file('.wh.a\nb'))]],
  ];

  const before = hostPicture();

  test.each(attacks)('%s', async (_, layers) => {
    const name = `attack-${made}`;
    const image = {
      layers: [layer({ name: 'show', content: staticProgram(), mode: 0o755 }), ...layers],
    };
    const { template, fault } = await build(used.api, { name, archive: layoutOf(image) });
    expect(hostPicture()).toEqual(before);
    if (template === undefined) {
      expect(fault?.code).toBe('invalid_image');
      expectNothingOf(name);
      return;
    }
    // What was built is a template like others: it starts, and shows nothing of the host.
    const { id } = await used.api.create({ template: name });
    await used.api.write(id, '/workspace/file', 'text');
    const passwd = (await used.api.read(id, '/etc/passwd')).toString();
    expect(passwd).not.toContain(readFileSync('/etc/passwd', 'utf8').slice(0, 200));
    await used.api.kill(id);
    await used.api.send('DELETE', `/v1/templates/${name}`);
  });
});

test('devices are left out, and rights by mode are of no use to users of the host', async () => {
  const layers = [
    layer(
      { name: 'show', content: staticProgram(), mode: 0o4755 },
      directory('dev/'),
      { name: 'dev/mem', type: '3' },
      { name: 'disk', type: '4' },
      { name: 'pipe', type: '6' },
      { name: 'hidden', type: '3' },
      directory('d/'),
      { name: 'd/whiteout', type: '3' },
    ),
  ];
  await buildWell(used.api, { name: 'devices', archive: layoutOf({ layers }) });
  const { id } = await used.api.create({ template: 'devices' });
  const names = await used.api.names(id, '/');
  expect(names).toContain('show');
  expect(names).not.toContain('disk');
  expect(names).not.toContain('pipe');
  expect(await used.api.names(id, '/d')).toEqual([]);
  const shown = await used.api.execFields(id, { args: ['/show'], user: 'user' });
  expect(shown.stdout).toMatch(/^1000:1000 /);
  await used.api.kill(id);
  const home = join(templatesDir, 'devices');
  const version = readdirSync(home).find((entry) => /^\d/.test(entry)) ?? '';
  expect(statSync(join(home, version)).mode & 0o077).toBe(0);
});
