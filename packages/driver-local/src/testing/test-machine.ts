import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SandboxSpec } from '@sandport/driver';
import { listMounts } from '@sandport/linux';
import {
  type Isolation,
  namespaceSchema,
  sandboxIdSchema,
  templateNameSchema,
} from '@sandport/protocol';
import type { Layout } from '../layout.ts';

const repository = resolve(fileURLToPath(import.meta.url), '../../../../..');

/** Templates that all tests share, so that they are built once. */
export const templatesDir =
  process.env['SANDPORT_TEMPLATES_DIR'] ?? join(repository, '.setup/templates');

/** A data directory of the test's own; made by the driver. */
export const testDataDir = (name: string): string =>
  join(tmpdir(), `driver-${name}-${process.pid}`);

export function testSpec(isolation: Isolation, change: Partial<SandboxSpec> = {}): SandboxSpec {
  return {
    id: sandboxIdSchema.parse(randomUUID()),
    template: templateNameSchema.parse('base'),
    isolation,
    namespace: namespaceSchema.parse('tests'),
    hostname: 'box',
    limits: { cpu: 2, memoryBytes: 256 * 1024 * 1024, pids: 64 },
    volumes: [],
    user: 'user',
    workdir: '/home/user',
    env: {},
    ...change,
  };
}

/**
 * Everything of a driver's sandboxes that is left on the machine; empty when nothing is. The kernel
 * frees loop devices and the like a moment after the last use, which is waited for.
 */
export async function leftovers(layout: Layout): Promise<string[]> {
  const untilMs = performance.now() + 3000;
  for (;;) {
    const found = await lookForLeftovers(layout);
    if (found.length === 0 || performance.now() > untilMs) return found;
    await sleep(50);
  }
}

async function lookForLeftovers(layout: Layout): Promise<string[]> {
  const found: string[] = [];
  for (const { mountPoint } of await listMounts())
    if (mountPoint.startsWith(layout.runDir) || mountPoint.startsWith(layout.dataDir))
      found.push(`mount ${mountPoint}`);
  for (const directory of [layout.sandboxes, layout.trash, layout.roots, layout.controls])
    found.push(...names(directory).map((name) => join(directory, name)));
  for (const name of ['b', 'runc', 'crun', 'runsc'])
    found.push(...names(join(layout.runDir, name)).map((each) => `${name}/${each}`));
  for (const hierarchy of names('/sys/fs/cgroup')) {
    const group = join('/sys/fs/cgroup', hierarchy, layout.cgroup);
    if (existsSync(group))
      found.push(
        ...names(group)
          .filter((n) => n.includes('-'))
          .map((n) => join(group, n)),
      );
  }
  const loops = execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'], {
    encoding: 'utf8',
  });
  found.push(...loops.split('\n').filter((file) => file.startsWith(layout.dataDir)));
  for (const pid of names('/proc').filter((name) => /^\d+$/.test(name)))
    if (commandLine(pid).includes(layout.runDir)) found.push(`process ${pid} ${commandLine(pid)}`);
  return found;
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
