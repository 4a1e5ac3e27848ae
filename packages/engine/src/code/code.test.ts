import { maxCodeContexts, namespaceSchema } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from '../engine.ts';
import { HeldBytes } from '../memory/held-bytes.ts';
import type { Principal } from '../principal.ts';
import { FakeKept, KeptDriver } from '../testing/kept-driver.ts';

const key: Principal = { keyId: 'k' };
const stranger: Principal = {
  keyId: 's',
  namespaces: new Set([namespaceSchema.parse('elsewhere')]),
};

/** A kernel in the hands of the test. */
class FakeKernel {
  readonly command: FakeKept;

  constructor(command: FakeKept) {
    this.command = command;
  }

  get mark(): string {
    return String(Reflect.get(Object(this.command.details['code']), 'mark'));
  }

  frame(stream: 'stdout' | 'stderr', content: object): void {
    this.command.write(stream, `\0${this.mark}${JSON.stringify(content)}\0`);
  }

  /** What it was told since the last time. */
  async told(): Promise<string[]> {
    let text = '';
    await expect.poll(() => (text += String(this.command.stdin?.read() ?? ''))).not.toBe('');
    return text.split('\0').slice(0, -1);
  }

  /** Takes a run: its name and its code. */
  async begin(): Promise<{ name: string; code: string }> {
    const [name = '', code = ''] = await this.told();
    for (const stream of ['stdout', 'stderr'] as const)
      this.frame(stream, { type: 'begin', run: name });
    return { name, code };
  }

  end(name: string, exit = 0): void {
    this.frame('stdout', { type: 'end', run: name, exit, count: 1 });
    this.frame('stderr', { type: 'end', run: name, exit });
  }
}

/** An engine with one sandbox. */
async function begin() {
  const state = openState(':memory:');
  const driver = new KeptDriver();
  const engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  const kernels = () => driver.keptCommands.map((command) => new FakeKernel(command));
  return {
    engine,
    id,
    code: engine.code,
    activity: engine.sandboxes.find(key, id).activity,
    kernels,
    /** The one that was started last, once it is there. */
    kernel: async (count = 1): Promise<FakeKernel> => {
      await expect.poll(() => kernels().length).toBe(count);
      const kernel = kernels().at(-1);
      if (kernel === undefined) throw new Error('none was started');
      return kernel;
    },
    run: (code: string, timeoutMs = 60_000) =>
      engine.code.run(key, id, { language: 'shell' }, { code, timeout_ms: timeoutMs }),
    [Symbol.dispose]: () => {
      engine[Symbol.dispose]();
      state[Symbol.dispose]();
    },
  };
}

test('a run gives what the kernel writes between its frames', async () => {
  using box = await begin();
  const running = box.run('echo é');
  const kernel = await box.kernel();
  expect(kernel.command.details).toMatchObject({ code: { language: 'shell', is_default: true } });
  kernel.command.write('stdout', 'from before');
  kernel.frame('stdout', { type: 'ready' });
  const { name, code } = await kernel.begin();
  expect(code).toBe('echo é');
  kernel.command.write('stdout', 'one\0two');
  kernel.command.write('stderr', 'wrong');
  kernel.frame('stdout', { type: 'result', data: { 'text/plain': '4' } });
  kernel.frame('stdout', { type: 'end', run: 'another', exit: 9 });
  kernel.end(name, 3);
  expect(await running).toMatchObject({
    stdout: 'one\0two',
    stderr: 'wrong',
    results: [{ 'text/plain': '4' }],
    exit: 3,
    execution_count: 1,
  });
  expect(box.code.list(key, box.id)).toMatchObject([{ id: 'default-shell', status: 'idle' }]);
  expect(box.engine.kept.list(key, box.id)).toEqual([]);
});

test('runs of one context come one after the other; those of two do not mix', async () => {
  using box = await begin();
  const first = box.run('a');
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'ready' });
  const { name } = await kernel.begin();
  const second = box.run('b');
  const creating = box.code.create(key, box.id, { language: 'python', cwd: '/tmp' });
  const other = await box.kernel(2);
  other.frame('stdout', { type: 'ready' });
  const { id } = await creating;
  const third = box.code.run(key, box.id, { context: id }, { code: 'c' });
  const there = await other.begin();
  other.command.write('stdout', 'C');
  other.end(there.name);
  expect((await third).stdout).toBe('C');
  kernel.command.write('stdout', 'A');
  kernel.end(name);
  expect((await first).stdout).toBe('A');
  const next = await kernel.begin();
  expect(next.code).toBe('b');
  kernel.end(next.name);
  expect((await second).stdout).toBe('');
});

test('code that is late is interrupted, and then its kernel is killed', async () => {
  using box = await begin();
  const running = box.run('sleep', 500);
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'ready' });
  await kernel.begin();
  await expect.poll(() => kernel.command.told, { timeout: 10_000 }).toContain('SIGKILL');
  // Code that ends well by itself is not interrupted while it does.
  expect(kernel.command.told).toEqual(['SIGINT', 'SIGKILL']);
  kernel.command.finish({ exitCode: 137, signal: 'SIGKILL' });
  const ended = await running;
  expect(ended).toMatchObject({ timed_out: true, exit: 137 });
  expect(ended.error).toContain('did not end within 2 seconds');
  expect(box.code.list(key, box.id)).toMatchObject([{ status: 'ended' }]);
  const again = box.run('next');
  await expect
    .poll(() => box.kernels().every(({ command }) => command !== kernel.command))
    .toBe(true);
  const fresh = await box.kernel();
  fresh.frame('stdout', { type: 'ready' });
  fresh.end((await fresh.begin()).name);
  expect(await again).toMatchObject({ restarted: true });
});

test('a kernel that breaks the protocol is killed, whatever it writes', async () => {
  using box = await begin();
  const running = box.run('hostile');
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'ready' });
  await kernel.begin();
  kernel.frame('stdout', { type: 'end', run: 7 });
  await expect.poll(() => kernel.command.told).toContain('SIGKILL');
  kernel.command.finish({ exitCode: 137, signal: 'SIGKILL' });
  expect((await running).error).toContain('not of its protocol');
});

test('an interrupt reaches code that has not begun, once; none when nothing runs', async () => {
  using box = await begin();
  const running = box.run('x');
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'ready' });
  const [name = ''] = await kernel.told();
  box.code.interrupt(key, box.id, 'default-shell');
  expect(kernel.command.told).toEqual(['SIGINT']);
  for (const stream of ['stdout', 'stderr'] as const)
    kernel.frame(stream, { type: 'begin', run: name });
  await expect.poll(() => kernel.command.told).toEqual(['SIGINT', 'SIGINT']);
  kernel.end(name, 130);
  expect(await running).toMatchObject({ exit: 130 });
  box.code.interrupt(key, box.id, 'default-shell');
  expect(kernel.command.told).toHaveLength(2);
});

test('a kernel that ends what its code has started is asked to before it is killed', async () => {
  using box = await begin();
  const place = { language: 'python' };
  const running = box.code.run(key, box.id, place, { code: 'x', timeout_ms: 500 });
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'ready' });
  await kernel.begin();
  const told = () => kernel.command.told;
  await expect.poll(told, { timeout: 10_000 }).toEqual(['SIGINT', 'SIGTERM', 'SIGKILL']);
  kernel.command.finish({ exitCode: 137, signal: 'SIGKILL' });
  expect((await running).error).toContain('its kernel was killed');
});

test('errors, large frames and slow clients of a hostile kernel are bounded', async () => {
  using box = await begin();
  const seen: string[] = [];
  let release = () => {};
  const slow = new Promise<void>((resolve) => (release = resolve));
  const running = box.code.stream(key, box.id, { language: 'shell' }, { code: 'x' }, (output) => {
    seen.push(output.type);
    return slow;
  });
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'ready' });
  const { name } = await kernel.begin();
  for (let count = 0; count < 3; count++)
    kernel.frame('stdout', { type: 'error', name: 'E', value: `${count}`, traceback: [] });
  kernel.frame('stderr', { type: 'error', name: 'E', value: 'x'.repeat(2_000), traceback: [] });
  kernel.command.write('stdout', 'after');
  kernel.end(name, 1);
  // Another run begins, whatever the client of the first one does.
  const next = box.run('y');
  const second = await kernel.begin();
  kernel.end(second.name);
  expect(await next).toMatchObject({ exit: 0 });
  expect(seen).toEqual(['error']);
  release();
  expect(await running).toMatchObject({ error: 'E: 0', truncated: true });
  expect(seen).toContain('stdout');
});

test('an interrupt, a late end and a close are no harm when the kernel went with its sandbox', async () => {
  using box = await begin();
  const running = box.run('x', 100);
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'ready' });
  await kernel.begin();
  await kernel.command.remove();
  box.code.interrupt(key, box.id, 'default-shell');
  await expect(running).rejects.toMatchObject({ code: 'invalid_state' });
  await box.code.close(key, box.id, 'default-shell');
});

test('a run that holds more than its key may is interrupted, and says so', async () => {
  using box = await begin();
  using held = new HeldBytes({ keyLimitBytes: 10 }).share(key);
  const place = { language: 'shell' };
  const running = box.code.run(key, box.id, place, { code: 'yes' }, { held });
  running.catch(() => undefined);
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'ready' });
  const { name } = await kernel.begin();
  kernel.command.write('stdout', 'eleven char');
  await expect.poll(() => kernel.command.told).toContain('SIGINT');
  kernel.end(name, 130);
  await expect(running).rejects.toMatchObject({ code: 'limit_reached' });
});

test('contexts are bounded, and belong to those who may use the sandbox', async () => {
  using box = await begin();
  for (let count = 1; count <= maxCodeContexts; count++) {
    const creating = box.code.create(key, box.id, { language: 'shell' });
    (await box.kernel(count)).frame('stdout', { type: 'ready' });
    await creating;
  }
  const tooMany = box.code.create(key, box.id, { language: 'shell' });
  await expect(tooMany).rejects.toMatchObject({ code: 'limit_reached' });
  await expect(box.run('x')).rejects.toMatchObject({ code: 'limit_reached' });
  const [first] = box.code.list(key, box.id);
  if (first === undefined) throw new Error('there are contexts');
  expect(() => box.code.get(stranger, box.id, first.id)).toThrow('No sandbox');
  const elsewhere = await box.engine.sandboxes.create(key, {});
  expect(() => box.code.get(key, elsewhere.id, 'unknown')).toThrow('no code context');
  await box.code.close(key, box.id, first.id);
  expect(box.code.list(key, box.id)).toHaveLength(maxCodeContexts - 1);
  expect(box.kernels()).toHaveLength(maxCodeContexts - 1);
});

test('kernels that start slowly take turns', async () => {
  using box = await begin();
  const creating = Array.from({ length: 4 }, () =>
    box.code.create(key, box.id, { language: 'python' }),
  );
  for (let ready = 0; ready < creating.length; ready++) {
    const started = Math.min(ready + 2, creating.length);
    await expect.poll(() => box.kernels().length).toBe(started);
    box.kernels()[ready]?.frame('stdout', { type: 'ready' });
    await Promise.any(creating.slice(ready));
  }
  expect(await Promise.all(creating)).toHaveLength(4);
});

test('what is missing is told, and leaves no context', async () => {
  using box = await begin();
  const running = box.run('x');
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'unavailable', missing: 'python3-ipykernel' });
  await expect.poll(() => kernel.command.told).toContain('SIGKILL');
  kernel.command.finish({ exitCode: 1 });
  await expect(running).rejects.toMatchObject({
    code: 'language_unavailable',
    details: { missing: 'python3-ipykernel' },
  });
  expect(box.code.list(key, box.id)).toEqual([]);
  for (const language of ['ruby', '', '__proto__', 'constructor'])
    await expect(box.code.run(key, box.id, { language }, { code: '' })).rejects.toMatchObject({
      code: 'language_unavailable',
    });
});

test('a kernel keeps the sandbox in use only while code runs', async () => {
  using box = await begin();
  const running = box.run('x');
  const kernel = await box.kernel();
  kernel.frame('stdout', { type: 'ready' });
  const { name } = await kernel.begin();
  expect(box.activity.idleMs).toBeLessThan(1);
  kernel.end(name);
  await running;
  await expect.poll(() => box.activity.idleMs).toBeGreaterThan(10);
});
