import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Sandbox } from 'sandport';
import { expect, test } from 'vitest';
import { onEachIsolation, repoDir, testRun, useDaemon } from '../harness/index.ts';
import { clientOf } from './sdk-sandbox.ts';

const page = join(repoDir, 'tests/fixtures/published-pages/pandastack-filesystem.txt');
const used = useDaemon();

/** The TypeScript of the page; its text runs into the Python before it, so statements are found. */
async function snippets(): Promise<{ filesystem: string[]; create: string[] }> {
  const text = await readFile(page, 'utf8');
  const statements = text.match(/(?:const \w+ = )?await [^;]+;/g) ?? [];
  return {
    filesystem: statements.filter((each) => each.includes('sandbox.filesystem.')),
    create: statements.filter((each) => each.includes('Sandbox.create(')),
  };
}

onEachIsolation(used, (isolation) => {
  test('every TypeScript snippet of the filesystem page runs as it stands', async () => {
    const { filesystem, create } = await snippets();
    expect(filesystem.length).toBe(6);
    expect(create.length).toBe(1);
    const directory = mkdtempSync(join(testRun().tempDir, 'page-'));
    try {
      await writeFile(join(directory, 'local.csv'), 'a,b\n1,2\n');
      const calls = filesystem.map((statement) =>
        // What the reader's own command would have made by then.
        statement.includes('.download(')
          ? `await sandbox.exec('cp /workspace/data.csv /workspace/result.csv', { check: true });\n${statement}`
          : statement,
      );
      // The page names the template of the hosted service; the built-in one need not be built here.
      const volumes = create
        .join('\n')
        .replace('"code-interpreter"', '"base"')
        .replace('await Sandbox', 'const withVolume = await Sandbox');
      const script = join(directory, 'page.mjs');
      await writeFile(
        script,
        `import { Sandbox } from ${JSON.stringify(import.meta.resolve('sandport'))};
const sandbox = await Sandbox.get(process.argv[2]);
const cfg = { key: 'value' };
const buf = Uint8Array.from({ length: 256 }, (_, index) => index).buffer;
${calls.join('\n')}
console.log(JSON.stringify(text));
${volumes}
console.log(JSON.stringify(withVolume.info.volumes));
await withVolume.kill();
`,
      );
      await using sandbox = await Sandbox.create({ isolation }, clientOf(used));
      const { stdout } = await promisify(execFile)(process.execPath, [script, sandbox.id], {
        cwd: directory,
        env: {
          ...process.env,
          SANDPORT_URL: used.daemon.url,
          SANDPORT_API_KEY: used.daemon.apiKey,
        },
      });
      expect(stdout.split('\n')).toEqual([
        '"hello\\n"',
        '[{"name":"training-data","read_only":true}]',
        '',
      ]);
      expect(await readFile(join(directory, 'out.csv'), 'utf8')).toBe('a,b\n1,2\n');
      expect(await sandbox.filesystem.read('/workspace/config.json')).toBe('{"key":"value"}');
      const model = await sandbox.filesystem.readBytes('/workspace/model.bin');
      expect([...model]).toEqual(Array.from({ length: 256 }, (_, index) => index));
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
