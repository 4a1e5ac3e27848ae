import {
  CodeContext as PandaContext,
  Client as PandaClient,
  Sandbox as PandaSandbox,
} from '@pandastack/sdk';
import type { CodeLanguage } from '@sandport/protocol';
import { Sandbox } from 'sandport';
import { expect, test } from 'vitest';
import { onEachIsolation, useCodeInterpreter, useDaemon, useSandbox } from '../harness/index.ts';
import { clientOf, failure } from '../sdk-typescript/sdk-sandbox.ts';

const used = useDaemon();
useCodeInterpreter(used);

const png = 'iVBORw0KGgo';
const set: Record<CodeLanguage, string> = {
  python: 'kept = 40',
  javascript: 'const kept = 40',
  shell: 'kept=40; cd /tmp',
};
const see: Record<CodeLanguage, string> = {
  python: 'print(kept + 2)',
  javascript: 'console.log(kept + 2)',
  shell: 'echo $((kept + 2))',
};
const languages = ['python', 'javascript', 'shell'] as const;

onEachIsolation(used, (isolation) => {
  const made = useSandbox(used, isolation, { template: 'code-interpreter' });
  const find = () => Sandbox.get(made.id, clientOf(used));

  test('variables live on; two contexts do not mix', async () => {
    const sandbox = await find();
    for (const language of languages) {
      expect(await sandbox.runCode(set[language], language)).toMatchObject({ exitCode: 0 });
      const seen = await sandbox.runCode(see[language], language);
      expect(seen).toMatchObject({ stdout: '42\n', exitCode: 0, restarted: false });
    }
    await using one = await sandbox.createCodeContext('javascript', {
      cwd: '/tmp',
      env: { A: 'b' },
    });
    await using two = await sandbox.createCodeContext('javascript');
    const [first, second] = await Promise.all([
      one.run('var own = 1; `${process.cwd()} ${process.env.A}`'),
      two.run('typeof kept + typeof own'),
    ]);
    expect(first.results[0]?.text).toBe("'/tmp b'");
    expect(second.results[0]?.text).toBe("'undefinedundefined'");
    await one.close();
    expect(await failure(one.run('1'))).toMatchObject({ code: 'context_not_found' });
  }, 120_000);

  test('results come in their forms: a figure, a data frame, the last value', async () => {
    const sandbox = await find();
    const frame = await sandbox.runCode(
      'import pandas\npandas.DataFrame({"a": [1, None], "ü": ["x", "y"]})',
    );
    expect(frame.results[0]?.json).toEqual({
      columns: ['a', 'ü'],
      index: [0, 1],
      data: [
        [1, 'x'],
        [null, 'y'],
      ],
      shape: [2, 2],
    });
    expect(frame.results[0]?.html).toContain('<table');
    const plot = await sandbox.runCode(
      'import matplotlib.pyplot as plot\n_ = plot.plot([1, 2])\nprint("drawn")',
    );
    expect(plot.stdout).toBe('drawn\n');
    expect(plot.results[0]?.png?.startsWith(png)).toBe(true);
    expect(plot.results[0]?.text).toContain('Figure');
    const value = await sandbox.runCode('[await Promise.resolve(1), "é"]', 'javascript');
    expect(value.results[0]).toMatchObject({ text: "[ 1, 'é' ]", json: [1, 'é'] });
  }, 120_000);

  test('output comes as it is written; an error has its traceback, and ends nothing else', async () => {
    const sandbox = await find();
    const parts: string[] = [];
    const failed = await sandbox.runCode(
      'import os, sys\nprint("out é")\nprint("err", file=sys.stderr)\nos.system("echo child")\n1/0',
      'python',
      { onStdout: (text) => void parts.push(text), onStderr: (text) => void parts.push(text) },
    );
    expect(parts.join('')).toContain('out é\n');
    expect(failed.stdout).toContain('child\n');
    expect(failed.stderr).toBe('err\n');
    expect(failed).toMatchObject({ exitCode: 1, error: { name: 'ZeroDivisionError' } });
    expect(failed.error?.traceback.join('\n')).toMatch(/line 5[^]*division by zero/);
    expect((await sandbox.runCode('null.x', 'javascript')).error).toMatchObject({
      name: 'TypeError',
    });
    expect(await sandbox.runCode('ls /nowhere', 'shell')).toMatchObject({ exitCode: 2 });
    expect((await sandbox.runCode('print(kept)')).stdout).toBe('40\n');
  }, 60_000);

  test('an interrupt and a timeout end the code and keep the variables', async () => {
    const sandbox = await find();
    const endless: Record<CodeLanguage, string> = {
      python: 'while True: pass',
      javascript: 'while (true) {}',
      shell: 'f() { while :; do :; done; }; f; echo not reached',
    };
    await Promise.all(
      languages.map(async (language) => {
        const late = await sandbox.runCode(endless[language], language, { timeoutMs: 500 });
        expect(late).toMatchObject({ timedOut: true, stdout: '' });
        expect((await sandbox.runCode(see[language], language)).stdout).toBe('42\n');
      }),
    );
    const contexts = await sandbox.code.listContexts();
    const python = contexts.find(({ language }) => language === 'python');
    const running = sandbox.runCode(
      'import time\nprint("on", flush=True)\ntime.sleep(600)',
      'python',
      {
        timeoutMs: 300_000,
        onStdout: () => python?.interrupt(),
      },
    );
    expect((await running).error?.name).toBe('KeyboardInterrupt');
    expect((await sandbox.runCode('kept')).results[0]?.text).toBe('40');
  }, 120_000);

  test('code that does not let itself be interrupted loses its variables, and says so', async () => {
    await using context = await (await find()).createCodeContext('shell');
    const stubborn = await context.run('trap "" INT; kept=1; while :; do sleep 1; done', {
      timeoutMs: 300,
    });
    expect(stubborn).toMatchObject({ timedOut: true, exitCode: 137 });
    expect(stubborn.error?.value).toContain('its kernel was killed');
    expect(await context.run('echo "[$kept]"')).toMatchObject({ restarted: true, stdout: '[]\n' });
  }, 60_000);

  test('kernels that die, forge, flood or are killed harm nothing but themselves', async () => {
    const sandbox = await find();
    await using context = await sandbox.createCodeContext('python');
    const died = await context.run('import os; os._exit(3)');
    expect(died).toMatchObject({ exitCode: 3, error: { name: 'KernelEnded' } });
    const binary = await context.run('import os\nos.write(1, bytes(range(256)) * 100)\nNone');
    expect(binary).toMatchObject({ restarted: true, exitCode: 0 });
    await using forger = await sandbox.createCodeContext('shell');
    const forged = await forger.run(
      `printf '\\0%s{"type":"end","run":7}\\0' "$__sandport_mark"; sleep 60`,
    );
    expect(forged.error?.value).toContain('protocol');
    const flood = await context.run('print("x" * 30_000_000)');
    expect(flood.truncated).toBe(true);
    expect(flood.stdout.length).toBe(10 * 1024 * 1024);
    const memory = await context.run('b = b"x" * 1_600_000_000');
    expect(memory.exitCode).not.toBe(0);
    expect((await context.run('1 + 1')).results[0]?.text).toBe('2');
    expect((await sandbox.runCode(see.shell, 'shell')).stdout).toMatch(/^(42|2)\n$/);
  }, 180_000);

  test('a hibernation with memory keeps variables, and a fork has them; else they are lost', async () => {
    const sandbox = await find();
    for (const each of await sandbox.code.listContexts()) await each.close();
    await using context = await sandbox.createCodeContext('javascript');
    await context.run('let kept = 7');
    await sandbox.hibernate();
    const keeps = sandbox.info.memory === true;
    expect(keeps).toBe(isolation === 'gvisor');
    const woken = await context.run('typeof kept');
    expect(woken.restarted).toBe(!keeps);
    expect(woken.results[0]?.text).toBe(keeps ? "'number'" : "'undefined'");
    await context.run('kept = 8');
    const child = await sandbox.fork();
    try {
      const [copy] = (await child.code.listContexts()).filter(({ id }) => id === context.id);
      const seen = await copy?.run('globalThis.mine = 1; typeof kept');
      expect(seen?.results[0]?.text).toBe(keeps ? "'number'" : "'undefined'");
      expect((await context.run('typeof mine')).results[0]?.text).toBe("'undefined'");
    } finally {
      await child.kill();
    }
  }, 180_000);

  test('the unmodified PandaStack client runs code', async () => {
    const client = new PandaClient({ apiUrl: used.daemon.url, apiKey: used.daemon.apiKey });
    const sandbox = await PandaSandbox.get(made.id, client);
    expect((await sandbox.runCode('echo $((6 * 7))', 'shell')).stdout).toBe('42\n');
    expect((await sandbox.runCode('print(6 * 7)', 'python')).stdout).toBe('42\n');
    const context = await sandbox.createCodeContext('python');
    expect(context).toBeInstanceOf(PandaContext);
    await context.runCode('import pandas; x = 5');
    const run = await context.runCode('pandas.DataFrame({"x": [x]})');
    expect(run.results[0]?.json).toMatchObject({ columns: ['x'], data: [[5]] });
    expect((await context.runCode('1/0')).error).toContain('ZeroDivisionError');
    await context.close();
  }, 60_000);

  // The last one: the daemon has another address after it.
  test('variables outlive a restart of the daemon', async () => {
    const context = await (await find()).createCodeContext('shell');
    await context.run('kept="from before"');
    await used.daemon.kill9();
    await used.daemon.restart();
    const again = await find();
    const found = (await again.code.listContexts()).find(({ id }) => id === context.id);
    expect(await found?.run('echo $kept')).toMatchObject({
      stdout: 'from before\n',
      restarted: false,
    });
  }, 60_000);
});

test('what a sandbox does not have is named, and the way out', async () => {
  await using sandbox = await Sandbox.create({ template: 'base' }, clientOf(used));
  const missing = await failure(sandbox.runCode('1', 'python'));
  expect(missing).toMatchObject({ code: 'language_unavailable' });
  expect(String(missing)).toMatch(/python3-ipykernel[^]*code-interpreter/);
  expect((await sandbox.runCode('echo $((1 + 1))', 'shell')).stdout).toBe('2\n');
  const nowhere = sandbox.createCodeContext('shell', { cwd: '/nowhere' });
  expect(await failure(nowhere)).toMatchObject({ code: 'command_not_started' });
});
