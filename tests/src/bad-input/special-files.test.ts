import { expect, test } from 'vitest';
import {
  expectNothingLeft,
  faultOf,
  json,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();
/** An answer that had to wait for a reader, a writer or the end of /dev/zero would take longer. */
const atOnceMs = 1_000;

const prepare = `
import os, socket
os.makedirs('/tmp/special')
os.chdir('/tmp/special')
os.mkfifo('fifo')
socket.socket(socket.AF_UNIX).bind('socket')
for name in ['zero', 'null', 'stdin', 'tty', 'random']:
    os.symlink('/dev/' + name, 'to-' + name)
os.symlink('fifo', 'to-fifo')
os.symlink('/proc/1/environ', 'to-environ')
os.symlink('/proc/self/mem', 'to-mem')
os.symlink('/proc/kcore', 'to-kcore')
os.symlink('/sys/kernel', 'to-sys')
`;

/** What the guest made, and what is there from the beginning. */
const links = ['to-zero', 'to-null', 'to-stdin', 'to-tty', 'to-random', 'to-environ', 'to-mem'];
const refused = [...links, 'to-kcore', 'to-sys/new', 'to-sys/ostype'];
const pipes = ['fifo', 'socket', 'to-fifo'];
const kernel = [
  '/proc/version',
  '/proc/1/environ',
  '/proc/self/mem',
  '/proc/self/exe',
  '/proc/self/root/etc/passwd',
  '/proc/sys/kernel/core_pattern',
  '/sys/kernel/uevent_helper',
  '/sys/fs/cgroup/cgroup.procs',
  '/dev/zero',
  '/dev/null',
  '/dev/random',
  '/dev/shm/file',
  '/dev/pts/0',
  '/dev/sda',
  '/run/sandport/token',
  '/run/sandport/init.sock',
];

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  test('the guest prepares its tree', async () => {
    const made = await used.api.execFields(box.id, { args: ['python3', '-c', prepare] });
    expect(made).toMatchObject({ stderr: '', exit_code: 0 });
  });

  // A FIFO or a socket of a gVisor guest exists inside its kernel only.
  const isSeen = isolation === 'container';

  test.each([
    ...[...refused, ...(isSeen ? pipes : [])].map((name) => `/tmp/special/${name}`),
    ...kernel,
  ])('%s is not served, at once', async (path) => {
    for (const answer of [
      await used.api.open(box.id, path),
      await used.api.put(box.id, path, 'from outside'),
    ]) {
      expect(faultOf(answer, 'not_a_regular_file').error).toMatch(/\/.*regular/);
      expect(answer.ms).toBeLessThan(atOnceMs);
    }
  });

  test('a refused write leaves the FIFO, the socket and the links what they were', async () => {
    const entries = await used.api.entries(box.id, '/tmp/special');
    const modes = Object.fromEntries(entries.map(({ name, mode }) => [name, mode]));
    expect(modes).toMatchObject({ 'to-zero': 'l', 'to-fifo': 'l' });
    expect([modes['fifo'], modes['socket']]).toEqual(isSeen ? ['p', 's'] : [undefined, undefined]);
    const fifo = await used.api.statAnswer(box.id, '/tmp/special/fifo');
    if (isSeen) expect(json(fifo, 200)).toMatchObject({ type: 'other', mode: 'p', is_dir: false });
    else faultOf(fifo, 'file_not_found');
    const inside = 'cd /tmp/special && test -p fifo && test -S socket && test -L to-zero';
    expect((await used.api.exec(box.id, inside)).exit_code).toBe(0);
    await expectNothingLeft(used, box.id);
  });

  test.each(['/proc', '/sys', '/dev', '/run/sandport'])(
    'nothing is told of what lies in %s, and nothing of it is removed',
    async (path) => {
      const listed = await used.api.listing(box.id, path);
      if (listed.status !== 200) faultOf(listed, 'not_a_regular_file');
      else expect(JSON.parse(listed.body.toString())).toMatchObject({ entries: [] });
      expect(listed.ms).toBeLessThan(atOnceMs);
      const removed = await used.api.remove(box.id, path);
      expect([409, 403]).toContain(removed.status);
      expect((await used.api.mkdir(box.id, `${path}/new`)).status).toBe(409);
      const inside = await used.api.exec(box.id, `test -d ${path} && test ! -e ${path}/new`);
      expect(inside.exit_code).toBe(0);
    },
  );

  test('devices that the guest could make are not served either', async () => {
    const made = await used.api.asRoot(
      box.id,
      'cd /tmp; mknod zero c 1 5 2>/dev/null; mknod disk b 8 0 2>/dev/null; ls zero disk 2>/dev/null; true',
    );
    for (const name of made.split('\n').filter(Boolean)) {
      faultOf(await used.api.open(box.id, `/tmp/${name}`), 'not_a_regular_file');
      faultOf(await used.api.put(box.id, `/tmp/${name}`, 'x'), 'not_a_regular_file');
    }
    // A container must not be able to at all.
    if (isolation === 'container') expect(made).toBe('');
  });

  test('a FIFO that somebody waits at, and a socket that somebody listens at', async () => {
    const listen = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind('/tmp/listening'); s.listen()
if os.fork(): sys.exit()
os.setsid()
for fd in 0, 1, 2: os.close(fd)
os.mkfifo('/tmp/waiting')
open('/tmp/waiting', 'w').write('from the guest')
`;
    await used.api.execFields(box.id, { args: ['python3', '-c', listen] });
    for (const name of ['listening', 'waiting']) {
      const answer = await used.api.open(box.id, `/tmp/${name}`);
      faultOf(answer, isSeen ? 'not_a_regular_file' : 'file_not_found');
      expect(answer.ms).toBeLessThan(atOnceMs);
    }
    // The daemon did not take the guest's word from the FIFO.
    expect((await used.api.exec(box.id, 'timeout 5 cat /tmp/waiting')).stdout).toBe(
      'from the guest',
    );
  });

  test('special files are removed like others', async () => {
    expect((await used.api.remove(box.id, '/tmp/special/to-zero')).status).toBe(204);
    expect((await used.api.remove(box.id, '/tmp/special/fifo')).status).toBe(204);
    expect((await used.api.remove(box.id, '/tmp/special')).status).toBe(204);
    expect(
      (await used.api.exec(box.id, 'test -c /dev/zero && test ! -e /tmp/special')).exit_code,
    ).toBe(0);
  });
});
