import { Sandbox } from 'sandport';
import { expect, test } from 'vitest';
import { onEachIsolation, useCodeInterpreter, useDaemon } from '../harness/index.ts';

const used = useDaemon();
useCodeInterpreter(used);
const config = () => ({ url: used.daemon.url, apiKey: used.daemon.apiKey });

/** Draws a plot of computed data; says which releases did it. */
const program = `
import matplotlib, numpy, pandas
matplotlib.use("Agg")
import matplotlib.pyplot as plot
frame = pandas.DataFrame({"x": numpy.arange(5), "y": numpy.arange(5) ** 2})
frame.plot(x="x", y="y")
plot.savefig("/workspace/plot.png")
print(int(frame.y.sum()))
`;

onEachIsolation(used, (isolation) => {
  test('the template has what it says: data tools, Node.js, git, curl, pip and venv', async () => {
    await using sandbox = await Sandbox.create(
      { template: 'code-interpreter', isolation, volumes: [{ name: 'data', readOnly: true }] },
      config(),
    );
    await sandbox.filesystem.write('/workspace/plot.py', program);
    const { stdout, stderr, exitCode } = await sandbox.commands.run(
      'python3 /workspace/plot.py && node -p 1+1 && git --version && curl --version && python3 -m pip --version && python3 -m venv /tmp/venv && /tmp/venv/bin/python -c "print(4)"',
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^30\n2\ngit version [^]*curl [^]*pip [^]*\n4\n$/);
    const png = await sandbox.filesystem.readBytes('/workspace/plot.png');
    expect(Buffer.from(png.subarray(0, 8)).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  }, 120_000);
});
