import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConformanceSubject, driverConformance } from '@sandport/driver/conformance';
import { detectCgroups } from '@sandport/linux';
import { type Isolation, templateNameSchema } from '@sandport/protocol';
import { z } from 'zod';
import { createLocalDriver } from '../create-local-driver.ts';
import { Layout } from '../layout.ts';
import { cgroupFeatures } from '../machine/cgroup-features.ts';
import { readPrivileges } from '../machine/privileges.ts';
import { probeMachine } from '../machine/probe-machine.ts';
import type { StorageKind } from '../storage/storage.ts';
import { LocalTemplates } from '../templates/template-store.ts';

const repository = resolve(fileURLToPath(import.meta.url), '../../../../..');
const templatesDir = process.env['SANDPORT_TEMPLATES_DIR'] ?? join(repository, '.setup/templates');

const templates = new LocalTemplates(templatesDir);
const base = templateNameSchema.parse('base');
const infos = await templates.list();
if (infos.find(({ name }) => name === base)?.status !== 'ready') await templates.build(base);

const report = await probeMachine({ dataDir: tmpdir() });
const { cpuQuota } = await cgroupFeatures();
const { hierarchies } = await detectCgroups();
const cpuMount = hierarchies.find((each) => each.controllers.includes('cpu'))?.mountPoint ?? '';
const hasMkfs = report.rows.some(({ name, status }) => name === 'mkfs.ext4' && status === 'ok');

const hasBtrfs = report.rows.some(({ name, status }) => name === 'btrfs' && status === 'ok');

/** Declares the suite that every driver passes; a file for each, so that they can run side by side. */
export function declareConformance(isolation: Isolation, storage: StorageKind): void {
  const dataDir = join(tmpdir(), `driver-${isolation}-${storage}-${process.pid}`);
  const layout = new Layout(dataDir);
  const row = report.rows.find(({ name }) => name === `isolation ${isolation}`);
  const isThere = storage === 'overlay' || hasBtrfs;
  const unavailable = isThere ? row?.detail : 'btrfs-progs is not installed';
  const subject: ConformanceSubject = {
    isolation,
    open: () =>
      createLocalDriver({ dataDir, templatesDir, isolation, storage, poolBytes: 2 ** 32 }),
    initPid: (id) => {
      const record: unknown = JSON.parse(readFileSync(layout.sandbox(id).record, 'utf8'));
      return z.object({ process: z.object({ pid: z.int() }) }).parse(record).process.pid;
    },
    throttledPeriods: (id) => {
      const statistics = readFileSync(
        join(cpuMount, layout.sandbox(id).cgroup, 'cpu.stat'),
        'utf8',
      );
      return Number(/^nr_throttled (\d+)$/m.exec(statistics)?.[1]);
    },
    cleanup: async () => rmSync(dataDir, { recursive: true, force: true }),
    unavailable: report.isolations.includes(isolation) && isThere ? undefined : unavailable,
    lacking: {
      cpuQuota: cpuQuota ? undefined : 'the kernel has no CPU quota',
      diskLimit: hasMkfs ? undefined : 'mkfs.ext4 is not installed',
      diskResize:
        readPrivileges().lowerOomScore || storage === 'btrfs'
          ? undefined
          : 'growing a mounted ext4 needs CAP_SYS_RESOURCE',
      specialFiles:
        isolation === 'gvisor' ? 'gVisor keeps FIFOs and sockets in its own memory' : undefined,
      livePids:
        isolation === 'gvisor'
          ? 'gVisor counts processes itself, by the limit of its start'
          : undefined,
      lineEditing:
        isolation === 'gvisor' ? 'gVisor’s terminals give lines as they are typed' : undefined,
      terminalByName: isolation === 'gvisor' ? 'gVisor has no working /dev/tty' : undefined,
      initProtection:
        isolation === 'gvisor' ? 'gVisor lets root of the guest signal its process 1' : undefined,
    },
  };
  const suites = storage === 'overlay' ? 'all' : 'disks';
  driverConformance(`local driver, ${isolation}, ${storage}`, subject, { suites });
}
