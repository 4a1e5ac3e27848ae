import { randomUUID } from 'node:crypto';
import { type SnapshotId, snapshotIdSchema, volumeNameSchema } from '@sandport/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import {
  expectFault,
  Harness,
  readFile,
  run,
  startCounter,
  useHarness,
  writeFile,
} from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const shared = volumeNameSchema.parse('beside');

export function snapshotsSuite(subject: ConformanceSubject): void {
  describe('snapshots', () => {
    const harness = useHarness(subject);
    const taken: SnapshotId[] = [];
    afterEach(async () => {
      await harness.removeAll();
      for (const id of taken.splice(0)) await harness.driver.snapshots.remove(id);
    });
    const newId = (): SnapshotId => {
      const id = snapshotIdSchema.parse(randomUUID());
      taken.push(id);
      return id;
    };
    const keepsMemory = () => harness.driver.memoryIsolations.includes(subject.isolation);
    const take = async (sandbox: DriverSandbox, memory = false): Promise<SnapshotId> => {
      const id = newId();
      const info = await harness.driver.snapshots.create(id, sandbox.id, { memory });
      expect(info.memory).toBe(memory);
      expect(info.sizeBytes).toBeGreaterThan(0);
      return id;
    };
    const from = async (snapshot: SnapshotId, options: { memory?: boolean } = {}) => {
      const spec = harness.spec();
      harness.track(spec);
      return harness.driver.create(spec, { from: snapshot, ...options });
    };
    const tell = async (sandbox: DriverSandbox, command: string) =>
      (await run(sandbox, command)).stdout.trim();

    test('sandboxes begin with the disk of a snapshot, which stays as it was', async () => {
      const original = await harness.create({ volumes: [{ name: shared }] });
      await run(original, 'echo one > file; rm ~/.profile; echo v > /mnt/beside/v');
      const snapshot = await take(original);
      await run(original, 'echo two > file');
      const first = await from(snapshot);
      expect(await tell(first, 'cat file; ls -A ~ | grep -c profile; ls /mnt/beside')).toBe(
        'one\n0',
      );
      await run(first, 'echo three > file');
      await harness.driver.remove(original.id);
      const second = await from(snapshot);
      expect(await tell(second, 'cat file')).toBe('one');
      await harness.driver.snapshots.remove(snapshot);
      await harness.driver.snapshots.remove(snapshot);
      expect(await tell(second, 'cat file')).toBe('one');
      await expectFault(from(snapshot), 'snapshot_not_found');
    });

    test('with memory, processes go on from there, as often as wanted', async (context) => {
      if (!keepsMemory()) context.skip('the isolation does not keep memory');
      const original = await harness.create();
      await startCounter(original);
      await expect.poll(() => readFile(original.files, '/tmp/count').catch(() => '')).toMatch(/5/);
      const snapshot = await take(original, true);
      const later = (await readFile(original.files, '/tmp/count')).length;
      await expect
        .poll(async () => (await readFile(original.files, '/tmp/count')).length)
        .toBeGreaterThan(later);
      for (let round = 0; round < 2; round++) {
        const sandbox = await from(snapshot);
        const first = (await readFile(sandbox.files, '/tmp/count')).length;
        await expect
          .poll(async () => (await readFile(sandbox.files, '/tmp/count')).length)
          .toBeGreaterThan(first);
        const lines = (await readFile(sandbox.files, '/tmp/count')).trim().split('\n');
        expect(lines).toEqual(lines.map((_, index) => String(index + 1)));
      }
      const plain = await from(snapshot, { memory: false });
      expect(await tell(plain, 'pgrep -c sleep; echo up')).toMatch(/up$/);
    });

    test('memory that there is none of is not promised', async (context) => {
      if (keepsMemory()) context.skip('the isolation keeps memory');
      const original = await harness.create();
      const snapshot = harness.driver.snapshots.create(newId(), original.id, { memory: true });
      await expectFault(snapshot, 'memory_unavailable');
      expect(await tell(original, 'echo alive')).toBe('alive');
    });

    test('of a paused and of a hibernated sandbox', async () => {
      const spec = harness.spec();
      const original = await harness.create(spec);
      await writeFile(original.files, '/home/user/file', 'here');
      await harness.driver.pause(spec.id);
      const ofPaused = await take(original, keepsMemory());
      expect(original.paused).toBe(true);
      await harness.driver.resume(spec.id);
      await harness.driver.hibernate(spec.id);
      const ofHibernated = await take(original, keepsMemory());
      expect((await harness.driver.wake(spec)).memory).toBe(keepsMemory());
      for (const snapshot of [ofPaused, ofHibernated])
        expect(await tell(await from(snapshot), 'cat file')).toBe('here');
    });

    test('a sandbox goes back to a snapshot, in place', async () => {
      const volumes = [{ name: shared }];
      const spec = harness.spec({ volumes });
      const original = await harness.create(spec);
      await run(original, 'echo one > file');
      const snapshot = await take(original, keepsMemory());
      await run(original, 'echo two > file; echo kept > /mnt/beside/kept');
      const { files } = original;
      const { sandbox, memory } = await harness.driver.restore(spec, snapshot);
      expect(memory).toBe(keepsMemory());
      expect(sandbox.files).not.toBe(files);
      expect(await tell(sandbox, 'cat file /mnt/beside/kept')).toBe('one\nkept');
      await run(sandbox, 'echo three > file');
      const again = await harness.driver.restore(spec, snapshot);
      expect(await tell(again.sandbox, 'cat file')).toBe('one');
      await expectFault(harness.driver.restore(spec, newId()), 'snapshot_not_found');
      expect(await tell(again.sandbox, 'cat file')).toBe('one');
      await harness.driver.hibernate(spec.id);
      const last = await harness.driver.restore(spec, snapshot);
      expect(await tell(last.sandbox, 'cat file')).toBe('one');
    });

    test('what cannot be made leaves nothing', async () => {
      const original = await harness.create();
      const id = newId();
      const signal = AbortSignal.abort(new Error('enough'));
      const { snapshots } = harness.driver;
      await expect(snapshots.create(id, original.id, { memory: false, signal })).rejects.toThrow(
        'enough',
      );
      await expectFault(from(id), 'snapshot_not_found');
      const gone = harness.spec().id;
      await expectFault(
        async () => snapshots.create(newId(), gone, { memory: false }),
        'snapshot_failed',
      );
      const removed = snapshots.create(id, original.id, { memory: false }).catch(() => {});
      await harness.driver.remove(original.id);
      await removed;
    });
  });

  describe('snapshots of an earlier driver', () => {
    const harness = new Harness(subject);
    afterEach(async () => {
      await harness.removeAll();
      await harness.close();
    });

    test('known ones are there, others are removed', async () => {
      await harness.open();
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      await writeFile(sandbox.files, '/home/user/file', 'here');
      const [known, unknown] = [randomUUID(), randomUUID()].map((id) => snapshotIdSchema.parse(id));
      if (!known || !unknown) throw new Error('two ids were made');
      for (const id of [known, unknown])
        await harness.driver.snapshots.create(id, spec.id, { memory: false });
      await harness.close();
      await harness.open([spec], [known]);
      const next = harness.spec();
      harness.track(next);
      const made = await harness.driver.create(next, { from: known });
      expect((await run(made, 'cat file')).stdout).toBe('here');
      await expectFault(
        harness.driver.create(harness.spec(), { from: unknown }),
        'snapshot_not_found',
      );
      await harness.driver.snapshots.remove(known);
    });
  });
}
