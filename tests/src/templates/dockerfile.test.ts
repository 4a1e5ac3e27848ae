import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  build,
  buildWell,
  layer,
  staticProgram,
  startDaemon,
  testRun,
  useDaemon,
  writeLayout,
} from '../harness/index.ts';

const room = mkdtempSync(join(testRun().tempDir, 'dockerfile-'));
const templatesDir = join(room, 'templates');
const used = useDaemon({
  env: { SANDPORT_TEMPLATES_DIR: templatesDir },
  args: ['--prepare', 'none'],
});
afterAll(() => rm(room, { recursive: true, force: true }));

let made = 0;
function contextOf(dockerfile: string): string {
  const context = join(room, `context-${++made}`);
  mkdirSync(context);
  writeFileSync(join(context, 'show'), staticProgram(), { mode: 0o755 });
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  return context;
}

/** Tries what a step must not be able to do. */
const probe = `
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
static void tell(const char *what, int failed) {
  printf("probe %s: %s\\n", what, failed ? strerror(errno) : "DONE");
}
int main(void) {
  tell("core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY) < 0);
  tell("sysctl", open("/proc/sys/vm/drop_caches", O_WRONLY) < 0);
  tell("device", mknod("/device", S_IFBLK | 0600, makedev(254, 0)) != 0);
  tell("mount", mount("none", "/proc", 0, MS_REMOUNT | MS_BIND, 0) != 0);
  tell("first process", open("/proc/1/root/work", O_RDONLY) < 0);
  tell("passwd", open("/etc/passwd", O_RDONLY) < 0);
  return 0;
}
`;

const isInstalled = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

describe('with buildah', () => {
  beforeEach((context) => {
    if (!isInstalled('/usr/bin/buildah')) context.skip('buildah is not installed');
  });

  test('copies, runs and sets what a Dockerfile says', async () => {
    const dockerfile = contextOf(
      'FROM scratch\nCOPY show /bin/show\nRUN ["/bin/show", "A"]\nENV GREETING=hello\nWORKDIR /srv\nUSER 33:44\n',
    );
    const template = await buildWell(used.api, { name: 'built', dockerfile });
    expect(template).toMatchObject({ source: 'Dockerfile', workdir: '/srv' });
    const { id } = await used.api.create({ template: 'built' });
    const { stdout } = await used.api.execFields(id, { args: ['/bin/show', 'GREETING'] });
    expect(stdout).toBe('33:44 /srv hello\n');
    await used.api.kill(id);
  });

  test.each([
    ['a step that fails', 'FROM scratch\nCOPY show /show\nRUN ["/nothing"]\n', /nothing/],
    ['words that are none', 'FROM scratch\nFLY away\n', /FLY|unknown/i],
    ['an empty one', '', /./],
    ['a file that is not there', 'FROM scratch\nCOPY ghost /\n', /ghost/],
    ['files above the context', 'FROM scratch\nCOPY ../../../etc/hostname /\n', /hostname/],
    ['files of the machine', 'FROM scratch\nCOPY show /\nCOPY /etc/hostname /stolen\n', /hostname/],
  ])('%s', async (what, text, reason) => {
    const { fault } = await build(used.api, { name: 'broken', dockerfile: contextOf(text) });
    expect(fault, what).toMatchObject({ code: 'template_build_failed', reason });
    expect(readdirSync(templatesDir)).not.toContain('broken');
  });

  test('a step has neither files nor devices nor settings of the machine', async () => {
    const dockerfile = contextOf('FROM scratch\nCOPY probe /probe\nRUN ["/probe"]\n');
    writeFileSync(join(dockerfile, 'probe'), staticProgram(probe), { mode: 0o755 });
    const { log, fault } = await build(used.api, { name: 'probed', dockerfile });
    expect(fault, log.join('\n')).toBeUndefined();
    const found = log.filter((line) => line.startsWith('probe '));
    expect(found.map((line) => line.replace(/^probe /, ''))).toEqual([
      'core_pattern: Read-only file system',
      'sysctl: Read-only file system',
      'device: Operation not permitted',
      'mount: Operation not permitted',
      'first process: Permission denied',
      'passwd: No such file or directory',
    ]);
  });

  test('a link out of the context leads nowhere', async () => {
    const dockerfile = contextOf('FROM scratch\nCOPY link /stolen\n');
    symlinkSync('/etc/passwd', join(dockerfile, 'link'));
    const { fault } = await build(used.api, { name: 'linked', dockerfile });
    expect(fault?.code).toBe('template_build_failed');
  });
});

test('a directory without a Dockerfile', async () => {
  const { fault } = await build(used.api, { name: 'none', dockerfile: join(room, 'nowhere') });
  expect(fault).toMatchObject({ code: expect.stringMatching(/invalid_request|tool_missing/) });
});

test('a program that is not installed is named, with its package', async () => {
  const programs = join(room, 'programs');
  mkdirSync(programs);
  for (const name of readdirSync('/usr/bin'))
    if (!['buildah', 'skopeo', 'node'].includes(name))
      symlinkSync(join('/usr/bin', name), join(programs, name));
  await using daemon = await startDaemon({
    env: { SANDPORT_TEMPLATES_DIR: templatesDir, PATH: programs },
    args: ['--prepare', 'none'],
  });
  const archive = writeLayout(join(room, 'layout'), { layers: [layer({ name: 'a' })] });
  expect((await build(daemon.api, { name: 'missing', archive })).fault).toMatchObject({
    code: 'tool_missing',
    program: 'skopeo',
    package: 'skopeo',
  });
  const dockerfile = contextOf('FROM scratch\n');
  expect((await build(daemon.api, { name: 'missing', dockerfile })).fault).toMatchObject({
    code: 'tool_missing',
    program: 'buildah',
    error: expect.stringContaining('apt-get install buildah'),
  });
});
