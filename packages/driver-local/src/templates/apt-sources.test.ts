import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostAptSources } from './apt-sources.ts';

let etc: string;
beforeEach(() => {
  etc = mkdtempSync(join(tmpdir(), 'etc-'));
  mkdirSync(join(etc, 'apt/sources.list.d'), { recursive: true });
});
afterEach(() => rmSync(etc, { recursive: true }));
const write = (name: string, text: string) => writeFileSync(join(etc, name), text);

test('takes the release and the mirrors of a Debian host, and nothing of third parties', async () => {
  write('os-release', 'ID=debian\nVERSION_CODENAME=bookworm\n');
  write(
    'apt/sources.list.d/debian.sources',
    'Types: deb\n# a comment\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n' +
      'Components: main contrib\nSigned-By: /usr/share/keyrings/debian.gpg\n\n' +
      'Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: main\n',
  );
  write('apt/sources.list.d/other.list', 'deb https://other.example/apt stable main\n');
  write(
    'apt/sources.list.d/node.sources',
    'Types: deb\nURIs: https://n.example\nSuites: nodistro\nComponents: main\n',
  );
  write('apt/sources.list.d/off.list.disabled', 'deb http://off.example bookworm main\n');
  expect(await hostAptSources(etc)).toEqual({
    suite: 'bookworm',
    lines: [
      'deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example/debian bookworm main',
      'deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example/debian bookworm-updates main',
      'deb http://mirror.example/security bookworm-security main',
    ],
  });
});

test('takes universe on Ubuntu, from one-line sources', async () => {
  write('os-release', 'NAME="Ubuntu"\nID=ubuntu\nVERSION_CODENAME="jammy"\n');
  write(
    'apt/sources.list',
    '# deb http://no.example jammy main\ndeb [arch=amd64 signed-by=/k.gpg] http://u.example jammy main restricted # x\n' +
      'deb http://u.example jammy universe\ndeb-src http://u.example jammy main\n',
  );
  expect(await hostAptSources(etc)).toEqual({
    suite: 'jammy',
    lines: ['deb [signed-by=/k.gpg] http://u.example jammy main universe'],
  });
});

test.each([
  ['another distribution', 'ID=fedora\nVERSION_CODENAME=forty\n', 'bookworm'],
  ['no os-release at all', '', 'bookworm'],
  ['Debian without sources', 'ID=debian\nVERSION_CODENAME=trixie\n', 'trixie'],
])('falls back for %s', async (_, osRelease, suite) => {
  write('os-release', osRelease);
  expect(await hostAptSources(etc)).toEqual({ suite, lines: [] });
});
