import {
  CodeContext as PandaContext,
  Client as PandaClient,
  Sandbox as PandaSandbox,
} from '@pandastack/sdk';
import type { CodeLanguage } from '@sandport/protocol';
import { type CodeContext, Sandbox } from 'sandport';
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

  test('whatever code shows or throws is told, and never ends its kernel', async () => {
    const sandbox = await find();
    const python = (code: string) => sandbox.runCode(code);
    await python('from IPython.display import display, HTML, SVG, Latex\nalive = 1');
    const shown = await python('display(HTML("<b>"), SVG("<svg/>"), Latex("$x$"))\n"\\ud800 é"');
    const [html, svg, latex, last] = shown.results;
    expect([html?.html, latex?.data['text/latex']]).toEqual(['<b>', '$x$']);
    expect(svg?.svg).toContain('<svg');
    expect(last?.text).toBe("'\\ud800 é'");
    const updated = await python('h = display(1, display_id=True)\nh.update(2)');
    expect(updated.results.map(({ text }) => text)).toEqual(['1', '2']);
    expect((await python('print("\\ud800 é \\U0001F600")')).stdout).toBe('? é 😀\n');
    const odd = 'display({"x/" + "y" * 300: "1", "x/z": "2"}, raw=True)';
    expect(await python(odd)).toMatchObject({
      truncated: true,
      results: [{ data: { 'x/z': '2' } }],
    });
    const silent = await python('class A:\n  def __repr__(self): raise ValueError("mute")\nA()');
    expect(silent).toMatchObject({ exitCode: 0, results: [] });
    expect(silent.stderr).toContain('ValueError: mute');
    const mute = 'class E(Exception):\n  def __str__(self): raise KeyError("mute")\nraise E()';
    expect((await python(mute)).exitCode).toBe(1);
    const long = await python('raise type("E" * 100_000, (Exception,), {})("x" * 10_000_000)');
    expect(long.error?.value).toMatch(/^x{65536}$/);
    expect((await python('input()')).error?.value).toContain('does not support input');
    const thrown = 'class E extends Error { get name() { throw null } }; throw new E("mute")';
    const silentToo = await sandbox.runCode(thrown, 'javascript');
    expect(silentToo.error).toMatchObject({ value: 'mute' });
    const inspected = '({ [Symbol.for("nodejs.util.inspect.custom")]() { throw null } })';
    expect(await sandbox.runCode(inspected, 'javascript')).toMatchObject({ exitCode: 0 });
    expect((await python('alive')).results[0]?.text).toBe('1');
  }, 120_000);

  test('runs wait for each other, contexts are counted, and pip installs', async () => {
    const sandbox = await find();
    const place = await sandbox.createCodeContext('python');
    const seen = await Promise.all(
      [1, 2, 3].map((turn) => place.run(`turns = [*globals().get("turns", []), ${turn}]; turns`)),
    );
    expect(seen.at(-1)?.results[0]?.text).toBe('[1, 2, 3]');
    // Slow, and the same in both.
    if (isolation === 'container') await install(sandbox, place);
    const there = (await sandbox.code.listContexts()).length;
    const more = await Promise.all(
      Array.from({ length: 16 - there }, () => sandbox.createCodeContext('shell')),
    );
    const beyond = await failure(sandbox.createCodeContext('shell'));
    expect(beyond).toMatchObject({ code: 'limit_reached' });
    const answers = await Promise.all(more.map((each, index) => each.run(`echo ${index}`)));
    expect(answers.map(({ stdout }) => Number(stdout))).toEqual([...more.keys()]);
    await Promise.all([place, ...more].map((each) => each.close()));
  }, 150_000);

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
    const handled = await sandbox.runCode(
      'try: time.sleep(600)\nexcept KeyboardInterrupt:\n  time.sleep(0.8); print("saved")',
      'python',
      { timeoutMs: 500 },
    );
    expect(handled).toMatchObject({ timedOut: true, exitCode: 0, stdout: 'saved\n' });
  }, 120_000);

  test('what a killed kernel has started ends with it', async (context) => {
    // There the memory that so many processes take ends the whole sandbox.
    if (isolation === 'gvisor')
      context.skip('gVisor: processes take more memory than a sandbox has');
    const sandbox = await find();
    await using place = await sandbox.createCodeContext('python');
    const bomb = 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass';
    const ended = await place.run(bomb, { timeoutMs: 1_000 });
    expect(ended).toMatchObject({ timedOut: true, error: { name: 'KernelEnded' } });
    expect(await place.run('1 + 1')).toMatchObject({ restarted: true, results: [{ text: '2' }] });
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

/** Installs a package of its own and uses it. */
async function install(sandbox: Sandbox, place: CodeContext): Promise<void> {
  const setup = 'from setuptools import setup; setup(name="mine", py_modules=["mine_module"])';
  await sandbox.filesystem.write('/tmp/mine/setup.py', setup);
  await sandbox.filesystem.write('/tmp/mine/mine_module.py', 'x = "installed"');
  const pip = 'python3 -m pip install --no-index --no-build-isolation /tmp/mine';
  const installed = await place.run(`!${pip}`, { timeoutMs: 90_000 });
  expect(installed.stdout).toContain('Successfully installed');
  expect((await place.run('import mine_module; mine_module.x')).results[0]?.text).toBe(
    "'installed'",
  );
}

test('what a sandbox does not have is named, and the way out', async () => {
  await using sandbox = await Sandbox.create({ template: 'base' }, clientOf(used));
  const missing = await failure(sandbox.runCode('1', 'python'));
  expect(missing).toMatchObject({ code: 'language_unavailable' });
  expect(String(missing)).toMatch(/python3-ipykernel[^]*code-interpreter/);
  expect((await sandbox.runCode('echo $((1 + 1))', 'shell')).stdout).toBe('2\n');
  const nowhere = sandbox.createCodeContext('shell', { cwd: '/nowhere' });
  expect(await failure(nowhere)).toMatchObject({ code: 'command_not_started' });
});
