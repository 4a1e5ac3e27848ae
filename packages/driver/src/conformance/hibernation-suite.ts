import { parseGuestPath, volumeNameSchema } from '@sandport/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import {
  expectFault,
  Harness,
  mebibyte,
  readFile,
  run,
  runsOnHost,
  startCounter,
  useHarness,
  within,
  writeFile,
} from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const count = async ({ files }: Pick<DriverSandbox, 'files'>): Promise<string[]> =>
  (await readFile(files, '/tmp/count')).trim().split('\n');

export function hibernationSuite(subject: ConformanceSubject): void {
  describe('hibernate and wake', () => {
    const harness = useHarness(subject);
    const keepsMemory = () => harness.driver.memoryIsolations.includes(subject.isolation);

    test('processes end, memory is given back, files stay', async () => {
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      await writeFile(sandbox.files, '/home/user/note', 'kept');
      const waiting = await sandbox.commands.start({ args: ['sleep', '60'] });
      const outcome = expectFault(waiting.exit, 'invalid_state');
      const pid = subject.initPid(spec.id);
      let died = false;
      void sandbox.died.then(() => (died = true));
      const asleep = await harness.driver.hibernate(spec.id);
      expect(asleep.hibernation).toEqual({ memory: keepsMemory() });
      expect(asleep.files).toBe(sandbox.files);
      expect(runsOnHost(pid)).toBe(false);
      expect((await outcome).details).toMatchObject({ status: 'hibernated' });
      const refused = await expectFault(
        sandbox.commands.start({ args: ['true'] }),
        'invalid_state',
      );
      expect(refused.details).toMatchObject({ sandbox: spec.id, status: 'hibernated' });
      await expectFault(harness.driver.pause(spec.id), 'invalid_state');
      expect(await harness.driver.hibernate(spec.id)).toMatchObject({ id: spec.id });
      expect(await readFile(asleep.files, '/home/user/note')).toBe('kept');
      await writeFile(asleep.files, '/home/user/note', 'changed');
      const woken = await harness.driver.wake(spec);
      expect(woken.memory).toBe(keepsMemory());
      expect(woken.fallback).toBeUndefined();
      expect(woken.sandbox.files).toBe(sandbox.files);
      expect((await run(woken.sandbox, 'cat note; id -un')).stdout).toBe('changeduser\n');
      expect((await harness.driver.wake(spec)).sandbox).toBe(woken.sandbox);
      expect(died).toBe(false);
    });

    test('what ran goes on where it was, again and again', async (context) => {
      if (!keepsMemory()) context.skip('the isolation does not keep memory');
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      await startCounter(sandbox);
      const program =
        'import time,socket,os,mmap\nsecret=os.urandom(8).hex()\nf=open("/tmp/open","w")\n' +
        'a,b=socket.socketpair()\nr,w=os.pipe()\nos.mkfifo("/tmp/fifo")\n' +
        's=socket.socket(socket.AF_UNIX); s.bind("/tmp/sock"); s.listen()\n' +
        'shm=open("/dev/shm/x","w+"); shm.write("shared"); shm.flush()\n' +
        'm=mmap.mmap(-1,4096); m[:3]=b"map"\na.send(b"queued"); os.write(w,b"piped")\n' +
        'open("/tmp/secret","w").write(secret)\n' +
        'while not os.path.exists("/tmp/go"): time.sleep(0.02)\n' +
        'out=[secret,b.recv(6).decode(),os.read(r,5).decode(),m[:3].decode(),open("/dev/shm/x").read()]\n' +
        'f.write(" ".join(out)); f.close()\nopen("/tmp/done","w")\ntime.sleep(60)';
      const python = await sandbox.commands.start({ args: ['python3', '-c', program] });
      python.exit.catch(() => {});
      await expect.poll(() => readFile(sandbox.files, '/tmp/secret').catch(() => '')).toMatch(/./);
      let current = sandbox;
      for (let round = 0; round < 3; round++) {
        await harness.driver.hibernate(spec.id);
        const before = await count(current);
        await sleep(100);
        expect(await count(current)).toEqual(before);
        current = (await harness.driver.wake(spec)).sandbox;
        await sleep(200);
        const after = await count(current);
        expect(after.length).toBeGreaterThan(before.length);
        expect(after).toEqual(after.map((_, index) => String(index + 1)));
      }
      await writeFile(current.files, '/tmp/go', '');
      await expect.poll(() => readFile(current.files, '/tmp/done').catch(() => 'no')).toBe('');
      const secret = await readFile(current.files, '/tmp/secret');
      expect(await readFile(current.files, '/tmp/open')).toBe(`${secret} queued piped map shared`);
    });

    test('much memory and many processes', async (context) => {
      if (!keepsMemory()) context.skip('the isolation does not keep memory');
      const spec = harness.spec({ limits: { cpu: 2, memoryBytes: 400 * mebibyte, pids: 64 } });
      const sandbox = await harness.create(spec);
      const program =
        'import os,time,hashlib\nb=os.urandom(1<<20)*200\nh=hashlib.sha256(b).hexdigest()\n' +
        'for i in range(30):\n if os.fork()==0:\n  time.sleep(100); os._exit(0)\n' +
        'open("/tmp/ready","w")\nwhile not os.path.exists("/tmp/go"): time.sleep(0.02)\n' +
        'open("/tmp/same","w").write(str(hashlib.sha256(b).hexdigest()==h))\ntime.sleep(60)';
      (await sandbox.commands.start({ args: ['python3', '-c', program] })).exit.catch(() => {});
      const ready = () => readFile(sandbox.files, '/tmp/ready').catch(() => 'no');
      await expect.poll(ready, { timeout: 20_000 }).toBe('');
      await within(30_000, harness.driver.hibernate(spec.id));
      const { sandbox: woken } = await within(30_000, harness.driver.wake(spec));
      await writeFile(woken.files, '/tmp/go', '');
      const same = () => readFile(woken.files, '/tmp/same').catch(() => '');
      await expect.poll(same, { timeout: 20_000 }).toBe('True');
      expect((await run(woken, 'ps ax | grep -c "[o]s.urandom"')).stdout).toBe('31\n');
    });

    test('volumes are mounted again, read-only ones read-only', async () => {
      const spec = harness.spec({
        volumes: [
          { name: volumeNameSchema.parse('sleeps') },
          { name: volumeNameSchema.parse('stays'), read_only: true },
        ],
      });
      const sandbox = await harness.create(spec);
      const program =
        'import mmap,time\nf=open("/mnt/sleeps/map","w+b"); f.truncate(4096)\n' +
        'm=mmap.mmap(f.fileno(),4096); m[:3]=b"one"; m.flush()\nopen("/tmp/ready","w")\ntime.sleep(60)';
      (await sandbox.commands.start({ args: ['python3', '-c', program] })).exit.catch(() => {});
      await expect.poll(() => readFile(sandbox.files, '/tmp/ready').catch(() => 'no')).toBe('');
      await harness.driver.hibernate(spec.id);
      expect((await readFile(sandbox.files, '/mnt/sleeps/map')).slice(0, 3)).toBe('one');
      const { sandbox: woken } = await harness.driver.wake(spec);
      const tried = await run(woken, 'head -c 3 /mnt/sleeps/map; touch /mnt/sleeps/w /mnt/stays/w');
      expect(tried.stdout).toBe('one');
      expect(tried.stderr).toContain('Read-only');
      expect(await readFile(woken.files, '/mnt/sleeps/w')).toBe('');
      await harness.driver.remove(spec.id);
      for (const { name } of spec.volumes)
        await harness.driver.volumes.remove(spec.namespace, name);
    });

    test('a write that is under way goes on', async () => {
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      await using writer = await sandbox.files.write(parseGuestPath('/home/user/large'));
      writer.stream.write(Buffer.alloc(mebibyte, 'a'));
      await harness.driver.hibernate(spec.id);
      writer.stream.write(Buffer.alloc(mebibyte, 'b'));
      await harness.driver.wake(spec);
      await new Promise<void>((resolve) => writer.stream.end('c', resolve));
      expect((await writer.commit()).bytes).toBe(2 * mebibyte + 1);
    });

    test('a file that is open and has gone: it cannot be hibernated, and runs on', async (context) => {
      if (!keepsMemory()) context.skip('the isolation does not keep memory');
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      const holders = [
        'exec 3>/tmp/gone; rm /tmp/gone; echo ready; sleep 60',
        'cp /bin/sleep /tmp/prog; /tmp/prog 60 & sleep 0.2; rm /tmp/prog; echo ready; wait',
        'mkdir /tmp/dir; cd /tmp/dir; rmdir /tmp/dir; echo ready; exec sleep 60',
        'exec 3</tmp/other; echo ready; sleep 60',
      ];
      for (const [index, script] of holders.entries()) {
        await writeFile(sandbox.files, '/tmp/other', 'old');
        const holder = await sandbox.commands.start({ args: ['sh', '-c', script] });
        holder.exit.catch(() => {});
        await new Promise((resolve) => holder.stdout.once('data', resolve));
        if (index === 3) await writeFile(sandbox.files, '/tmp/other', 'another file');
        const fault = await expectFault(harness.driver.hibernate(spec.id), 'hibernate_failed');
        expect(fault.details['reason']).toMatch(/removed or replaced: \/tmp\//);
        expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
        holder.kill('SIGKILL');
        expect((await holder.exit).exitCode).toBe(137);
        await run(sandbox, 'pkill prog; pkill -x sleep; true');
      }
      expect((await harness.driver.hibernate(spec.id)).hibernation.memory).toBe(true);
      expect((await harness.driver.wake(spec)).memory).toBe(true);
    });

    test('limits, user and environment of the waking spec count', async () => {
      const spec = harness.spec();
      await harness.create(spec);
      await harness.driver.hibernate(spec.id);
      const { sandbox } = await harness.driver.wake({ ...spec, user: 'root', env: { NEW: 'yes' } });
      expect((await run(sandbox, 'echo $(id -un) $NEW')).stdout).toBe('root yes\n');
    });

    test('one that died is started anew from its disk', async () => {
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      await writeFile(sandbox.files, '/home/user/left', 'left');
      process.kill(subject.initPid(spec.id), 'SIGKILL');
      await within(10_000, sandbox.died);
      await expectFault(harness.driver.hibernate(spec.id), 'invalid_state');
      const woken = await harness.driver.wake(spec);
      expect(woken.memory).toBe(false);
      expect((await run(woken.sandbox, 'cat left')).stdout).toBe('left');
    });

    test('can be removed at any moment of it', async () => {
      for (const afterMs of [0, 20, 80, 160, 300]) {
        const spec = harness.spec();
        await harness.create(spec);
        const change = harness.driver
          .hibernate(spec.id)
          .then(() => harness.driver.wake(spec))
          .catch(() => {});
        await sleep(afterMs);
        await within(20_000, harness.driver.remove(spec.id));
        await within(20_000, change);
        // Nothing of it is left when its id serves again.
        const again = await harness.create(spec);
        expect((await run(again, 'echo again')).stdout).toBe('again\n');
        await harness.driver.remove(spec.id);
      }
    });
  });

  describe('a hibernated sandbox and the next driver', () => {
    const harness = new Harness(subject);
    afterEach(async () => {
      await harness.removeAll();
      await harness.close();
    });

    test('it is still hibernated, and wakes', async () => {
      await harness.open();
      const memory = harness.driver.memoryIsolations.includes(subject.isolation);
      const spec = harness.spec();
      const first = await harness.create(spec);
      await startCounter(first);
      await sleep(200);
      await harness.driver.hibernate(spec.id);
      const before = await count(first);
      await harness.close();
      const report = await harness.open([spec]);
      expect(report).toMatchObject({ running: [], lost: [] });
      expect(report.stopped.map(({ id, hibernation }) => ({ id, hibernation }))).toEqual([
        { id: spec.id, hibernation: { memory } },
      ]);
      const woken = await harness.driver.wake(spec);
      expect(woken.memory).toBe(memory);
      await sleep(200);
      expect((await count(woken.sandbox)).length > before.length).toBe(memory);
      expect((await run(woken.sandbox, 'echo up')).stdout).toBe('up\n');
    });
  });
}
