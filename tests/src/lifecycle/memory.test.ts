import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codeOf, faultOf, isAlive, sandboxProcess, useDaemon, waitFor } from '../harness/index.ts';

// What `gvisor` gives back of a hibernated sandbox.
const used = useDaemon();
beforeEach((context) => {
  if (!used.daemon.isolations.includes('gvisor'))
    context.skip('gvisor does not work on this machine; see `sandport doctor`');
});
afterEach(() => used.daemon.killSandboxes());

const make = async (fields = {}) => (await used.api.create({ isolation: 'gvisor', ...fields })).id;
const sleepAndWake = async (id: string) => {
  await used.api.enter(id, 'hibernate');
  await sleep(1_000);
  expect(await used.api.wake(id)).toMatchObject({ woken: true, memory: true });
};
const isThere = async (id: string, path: string) =>
  codeOf(await used.api.statAnswer(id, path)) === 'ok';

/** Answers each line of a FIFO with what it knows from before. */
const program = `
import os, threading, time
secret = os.urandom(16).hex()
pipe = os.pipe()
os.write(pipe[1], b'in the pipe')
kept = open('/workspace/kept', 'a')
child = os.popen('while read line; do echo "child $line"; done > /workspace/child', 'w')
ticks = []
def tick():
    while True:
        ticks.append(time.monotonic()); time.sleep(0.05)
threading.Thread(target=tick, daemon=True).start()
os.mkfifo('/tmp/ask')
open('/workspace/ready', 'w').write(secret)
while True:
    with open('/tmp/ask') as ask: word = ask.read().strip()
    piped = os.read(pipe[0], 99); os.write(pipe[1], piped)
    kept.write(word + '\\n'); kept.flush()
    child.write(word + '\\n'); child.flush()
    with open('/workspace/answer.part', 'w') as answer:
        answer.write(f'{word} {secret} {piped.decode()} {len(ticks)} {os.getpid()}')
    os.rename('/workspace/answer.part', '/workspace/answer')
`;

test('a process goes on with its variables, threads, children, pipes and open files', async () => {
  const { api } = used;
  const id = await make();
  await api.write(id, '/workspace/program.py', program);
  await api.exec(id, 'python3 /workspace/program.py > /workspace/log 2>&1 &');
  await waitFor(() => isThere(id, '/workspace/ready'));
  const secret = (await api.read(id, '/workspace/ready')).toString();
  const ask = async (word: string) => {
    await api.exec(id, `echo ${word} > /tmp/ask`);
    const text = await waitFor(async () => {
      const answer = await api.open(id, '/workspace/answer');
      return answer.status === 200 && answer.body.toString().startsWith(word)
        ? answer.body.toString()
        : undefined;
    });
    const [, ...rest] = text.split(' ');
    return { known: rest.slice(0, 4).join(' '), ticks: Number(rest[4]), pid: rest[5] };
  };
  const before = await ask('one');
  expect(before.known).toBe(`${secret} in the pipe`);
  for (const word of ['two', 'three']) {
    await sleepAndWake(id);
    const after = await ask(word);
    expect(after).toMatchObject({ known: before.known, pid: before.pid });
    expect(after.ticks).toBeGreaterThan(before.ticks);
  }
  expect((await api.read(id, '/workspace/kept')).toString()).toBe('one\ntwo\nthree\n');
  await waitFor(
    async () =>
      (await api.read(id, '/workspace/child')).toString() === 'child one\nchild two\nchild three\n',
  );
});

test('a command in the background goes on, and its output can be read', async () => {
  const { api } = used;
  const id = await make();
  const loop = 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.3; done';
  await api.exec(id, `: > /tmp/out; (${loop}) > /tmp/out 2>&1 &`);
  await waitFor(async () => (await api.read(id, '/tmp/out')).toString().startsWith('1\n2\n'));
  await sleepAndWake(id);
  await waitFor(
    async () => (await api.read(id, '/tmp/out')).toString() === '1\n2\n3\n4\n5\n6\n7\n8\n',
  );
});

test('what is written to a sleeping sandbox’s files by waking it is what its processes see', async () => {
  const { api } = used;
  const id = await make({ volumes: [{ name: 'kept-volume' }] });
  await api.exec(
    id,
    'echo old > /workspace/file; echo old > /mnt/kept-volume/file; cat /workspace/file /mnt/kept-volume/file',
  );
  await api.enter(id, 'hibernate');
  const woke = await api.put(id, '/workspace/file', 'new\n');
  expect(woke.headers['x-sandport-woke']).toBe('memory');
  await api.write(id, '/mnt/kept-volume/file', 'new\n');
  const seen = await api.exec(id, 'cat /workspace/file /mnt/kept-volume/file');
  expect(seen.stdout).toBe('new\nnew\n');
});

test('memory is given back, and filled again with what it held', async () => {
  const { api, daemon } = used;
  const id = await make({ resources: { memory_mb: 512 } });
  await api.exec(
    id,
    `python3 -c "
import os, time, hashlib
data = os.urandom(150 << 20)
open('/workspace/sum', 'w').write(hashlib.sha256(data).hexdigest())
while not os.path.exists('/workspace/go'): time.sleep(0.05)
open('/workspace/again.part', 'w').write(hashlib.sha256(data).hexdigest())
os.rename('/workspace/again.part', '/workspace/again')
" > /dev/null 2>&1 &`,
  );
  await waitFor(async () => (await api.open(id, '/workspace/sum')).body.length === 64);
  const process = sandboxProcess(daemon, id);
  await api.enter(id, 'hibernate');
  expect(isAlive(process)).toBe(false);
  const woke = await api.put(id, '/workspace/go', '');
  expect(woke.headers['x-sandport-woke']).toBe('memory');
  await waitFor(() => isThere(id, '/workspace/again'));
  expect(await api.read(id, '/workspace/again')).toEqual(await api.read(id, '/workspace/sum'));
});

test('the clock inside goes with the time that was slept', async () => {
  const { api } = used;
  const id = await make();
  await sleepAndWake(id);
  const inside = Number((await api.exec(id, 'date +%s%3N')).stdout);
  expect(Math.abs(inside - Date.now())).toBeLessThan(5_000);
});

test('processes that could not be had back are not ended: the sandbox runs on, and tells why', async () => {
  const { api } = used;
  const id = await make();
  await api.exec(
    id,
    'exec 3> /tmp/nameless; rm /tmp/nameless; (while [ ! -e /tmp/go ]; do sleep 0.05; done) > /dev/null 2>&1 &',
  );
  const fault = faultOf(await api.change(id, 'hibernate'), 'hibernate_failed');
  expect(fault.error).toContain('/tmp/nameless');
  expect((await api.get(id)).status).toBe('running');
  await api.write(id, '/tmp/go', '');
  await waitFor(async () => (await api.change(id, 'hibernate')).status === 200);
  expect(await api.wake(id)).toMatchObject({ memory: true });
});
