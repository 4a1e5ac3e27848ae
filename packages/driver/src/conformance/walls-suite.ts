import { SandportFault } from '@sandport/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import { python, readFile, run, useHarness, within, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

/** CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, SYS_CHROOT */
const allowedCapabilities = 0x405fbn;

/** Calls that reach into the kernel, with arguments that would otherwise get further than EPERM. */
const forbiddenCalls: Readonly<Record<string, readonly (number | string)[]>> = {
  unshare: [272, 0x10000000],
  setns: [308, 0, 0],
  clone_newuser: [56, 0x10000011, 0, 0, 0, 0],
  mount: [165, 'none', '/tmp', 'tmpfs', 0, 0],
  umount2: [166, '/proc', 2],
  pivot_root: [155, '/', '/'],
  bpf: [321, 0, 0, 0],
  perf_event_open: [298, 0, 0, -1, -1, 0],
  userfaultfd: [323, 0],
  io_uring_setup: [425, 8, 0],
  keyctl: [250, 0, 0],
  add_key: [248, 'user', 'x', 'y', 1, -3],
  kexec_load: [246, 0, 0, 0, 0],
  init_module: [175, 0, 0, ''],
  open_by_handle_at: [304, -100, 0, 0],
  reboot: [169, 0, 0, 0],
  swapon: [167, '/tmp/x', 0],
  settimeofday: [164, 0, 0],
  fsopen: [430, 'tmpfs', 0],
  open_tree: [428, -100, '/', 1],
  vsock_socket: [41, 40, 1, 0],
  alg_socket: [41, 38, 5, 0],
};

export function wallsSuite(subject: ConformanceSubject): void {
  describe('walls', () => {
    const harness = useHarness(subject);
    const { lacking = {} } = subject;
    let sandbox: DriverSandbox;
    beforeAll(async () => {
      sandbox = await harness.create();
    });
    const status = async (field: string, user: string) => {
      const { stdout } = await run(sandbox, 'cat /proc/self/status', { user });
      return new RegExp(`^${field}:\\s*(\\S+)`, 'm').exec(stdout)?.[1] ?? '';
    };

    test('root has few capabilities, the user none', async () => {
      const root = BigInt(`0x${await status('CapEff', 'root')}`);
      expect((root & ~allowedCapabilities).toString(16)).toBe('0');
      const bounding = BigInt(`0x${await status('CapBnd', 'user')}`);
      expect((bounding & ~allowedCapabilities).toString(16)).toBe('0');
      expect(BigInt(`0x${await status('CapEff', 'user')}`)).toBe(0n);
    });

    test('no program gains privileges', async () => {
      const program = 'import ctypes;print(ctypes.CDLL(None).prctl(39,0,0,0,0))';
      expect((await python(sandbox, program, 'user')).stdout).toBe('1\n');
      const setuid =
        'cp /usr/bin/id /srv/suid-id; chown root /srv/suid-id; chmod 4755 /srv/suid-id';
      await run(sandbox, setuid, { user: 'root' });
      expect((await run(sandbox, '/srv/suid-id -u')).stdout).toBe('1000\n');
    });

    test('there is no network but loopback', async () => {
      const { stdout } = await run(sandbox, 'cat /proc/net/dev');
      expect([...stdout.matchAll(/^\s*(\w+):/gm)].map(([, name]) => name)).toEqual(['lo']);
      const program =
        'import socket\nl=socket.create_server(("127.0.0.1",0))\n' +
        'c=socket.create_connection(l.getsockname()); c.send(b"x"); print(l.accept()[0].recv(1))\n' +
        'for a in ("1.1.1.1",80),("10.0.0.1",22),("169.254.169.254",80):\n' +
        ' try: socket.create_connection(a,2); print("out!")\n except OSError as e: print(e.errno)\n';
      expect((await python(sandbox, program)).stdout).toMatch(/^b'x'\n((101|113)\n){3}$/);
    });

    test.skipIf(process.arch !== 'x64')(
      'calls into the kernel are refused, also for root',
      async () => {
        const program = `
import ctypes,json,sys,os
libc=ctypes.CDLL(None,use_errno=True)
for name,(number,*args) in json.loads(sys.argv[1]).items():
  if name=="clone_newuser" and ${JSON.stringify(subject.isolation)}!="container": continue
  values=[a.encode() if isinstance(a,str) else ctypes.c_long(a) for a in args]
  result=libc.syscall(ctypes.c_long(number),*values)
  if name=="clone_newuser" and result==0: os._exit(0)
  print(name, "allowed" if result>=0 else "refused")
`;
        const calls = JSON.stringify(forbiddenCalls);
        const result = await run(sandbox, ['python3', '-c', program, calls], { user: 'root' });
        // gVisor's own namespaces are inside the guest's kernel: making them reaches nothing.
        const harmless = subject.isolation === 'gvisor' ? ['unshare'] : [];
        const allowed = [...result.stdout.matchAll(/^(\w+) allowed/gm)].map(([, name]) => name);
        expect(allowed.filter((name) => !harmless.includes(name ?? ''))).toEqual([]);
        expect(result.stdout).toMatch(/^mount refused/m);
      },
    );

    test('parts of the kernel are hidden or read-only', async () => {
      const probe = async (command: string) =>
        (await run(sandbox, command, { user: 'root' })).exitCode;
      expect(await probe('echo 1 > /proc/sys/kernel/printk')).not.toBe(0);
      expect(await probe('echo b > /proc/sysrq-trigger')).not.toBe(0);
      expect(await probe('mkdir /sys/fs/cgroup/x')).not.toBe(0);
      expect(await probe('test -s /proc/kcore && head -c 64 /proc/kcore | grep -q .')).not.toBe(0);
      expect(await probe('head -c 1 /proc/keys | grep -q .')).not.toBe(0);
    });

    test('device nodes of the host cannot be made or opened', async () => {
      const program =
        'import os,stat\nfor d in (os.makedev(254,0),os.makedev(8,0),os.makedev(1,1)):\n' +
        ' try:\n  os.mknod("/tmp/dev",0o666|stat.S_IFBLK,d); open("/tmp/dev","rb").read(1); print("read!")\n' +
        ' except OSError as e: print("no")\n finally:\n' +
        '  try: os.unlink("/tmp/dev")\n  except OSError: pass\n';
      expect((await python(sandbox, program)).stdout).toBe('no\nno\nno\n');
    });

    test('what belongs to the init is out of reach', async () => {
      for (const command of [
        'cat /run/sandport/token',
        'head -c 1 /proc/1/mem',
        'cat /proc/1/root/run/sandport/token',
        'touch /run/sandport/x',
      ]) {
        const result = await run(sandbox, command, { user: 'root' });
        expect(result.exitCode, command).not.toBe(0);
      }
      const attach =
        'import ctypes;l=ctypes.CDLL(None);l.ptrace.restype=ctypes.c_long;print(l.ptrace(16,1,0,0))';
      expect((await python(sandbox, attach)).stdout).toBe('-1\n');
    });

    test('the init cannot be killed or stopped from inside', async (context) => {
      await run(sandbox, 'kill -9 1; kill -STOP 1');
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
      if (lacking.initProtection !== undefined) context.skip(lacking.initProtection);
      await run(sandbox, 'kill -9 1; kill -STOP 1; kill -TERM 1', { user: 'root' });
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
    });

    test('root that kills the init ends nothing but its own sandbox', async () => {
      const victim = await harness.create();
      const kill = run(victim, 'kill -9 1', { user: 'root' }).catch(() => undefined);
      await within(15_000, kill);
      const next = within(15_000, run(victim, 'echo alive')).catch((error: unknown) => error);
      expect(await next).toSatisfy((outcome: unknown) =>
        outcome instanceof SandportFault
          ? outcome.code === 'invalid_state'
          : typeof outcome === 'object' && outcome !== null && 'stdout' in outcome,
      );
      await writeFile(victim.files, '/tmp/file', 'works');
      expect(await readFile(victim.files, '/tmp/file')).toBe('works');
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
    });

    test('root is nobody on the host', async (context) => {
      if (subject.isolation !== 'container')
        context.skip('the guest has the ids of gVisor’s own kernel, which are none of the host');
      const { stdout } = await run(sandbox, 'cat /proc/self/uid_map /proc/self/gid_map');
      const maps = stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).map(Number));
      expect(maps).toHaveLength(2);
      for (const [inside, outside, count] of maps) {
        expect([inside, count]).toEqual([0, 65_536]);
        expect(outside).toBeGreaterThanOrEqual(1_000_000);
      }
      const other = await harness.create();
      expect((await run(other, 'cat /proc/self/uid_map')).stdout).not.toBe(stdout.split('\n')[0]);
    });

    test('sandboxes do not see each other', async () => {
      const other = await harness.create();
      await run(other, 'sleep 4242 & echo $! > /tmp/of-the-other');
      const { stdout } = await run(sandbox, 'cat /proc/[0-9]*/cmdline; ls /tmp', { user: 'root' });
      expect(stdout).not.toContain('4242');
      expect(stdout).not.toContain('of-the-other');
    });
  });
}
