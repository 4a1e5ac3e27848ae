// Upload a CSV file, process it inside a sandbox, download the result.
//
// Usage: process-csv.mjs [INPUT] [OUTPUT]
//
// A daemon must be running: `npx sandport serve`.
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Sandbox } from 'sandport';

const sample = fileURLToPath(new URL('../input.csv', import.meta.url));
const [inputPath = sample, outputPath = 'output.csv'] = process.argv.slice(2);

const processScript = `
import csv
with open('/home/user/input.csv') as f:
    reader = csv.reader(f)
    rows = list(reader)
print(f"Processed {len(rows)} rows")
with open('/home/user/output.csv', 'w') as f:
    writer = csv.writer(f)
    writer.writerows(rows)
`;

async function step(what, work) {
  const startedAt = performance.now();
  const result = await work();
  const tookMs = (performance.now() - startedAt).toFixed(1);
  console.log(`  ${what.padEnd(42)} ${tookMs.padStart(7)} ms`);
  return result;
}

const sandbox = await step('create a sandbox', () =>
  Sandbox.create({ template: 'python-sandbox-template', namespace: 'default' }),
);
try {
  const { size } = await stat(inputPath);
  await step(`upload input.csv (${size} bytes)`, () =>
    sandbox.files.upload(inputPath, '/home/user/input.csv'),
  );
  await step('upload process.py', () =>
    sandbox.files.write('/home/user/process.py', processScript),
  );
  const result = await step('run python3 process.py', () =>
    sandbox.commands.run('python3 /home/user/process.py'),
  );
  console.log(`    ${result.stdout.trim()}`);
  if (result.exitCode !== 0) throw new Error(result.stderr);
  await step('download output.csv', () =>
    sandbox.files.download('/home/user/output.csv', outputPath),
  );
} finally {
  await step('terminate the sandbox', () => sandbox.terminate());
}
const { size } = await stat(outputPath);
console.log(`  the result: ${outputPath} (${size} bytes)`);
