import * as architecturePaths from './checks/architecture-paths.mjs';
import * as dependencies from './checks/dependencies.mjs';
import * as fileLength from './checks/file-length.mjs';
import * as format from './checks/format.mjs';
import * as generated from './checks/generated.mjs';
import * as layers from './checks/layers.mjs';
import * as lint from './checks/lint.mjs';
import * as machinePaths from './checks/machine-paths.mjs';
import * as python from './checks/python.mjs';
import * as types from './checks/types.mjs';
import { runMain } from './lib/failure.mjs';
import { bold, duration, green, red } from './lib/progress.mjs';

/** Types come first: the generated files are made from what they build. */
const checks = [
  types,
  lint,
  format,
  layers,
  fileLength,
  machinePaths,
  dependencies,
  architecturePaths,
  generated,
  python,
];

async function main() {
  console.log(bold('Checks'));
  let failed = 0;
  for (const { name, check } of checks) {
    const startedAt = performance.now();
    const { problems } = await check().catch((error) => ({ problems: [error.message] }));
    const took = duration(performance.now() - startedAt);
    if (problems.length === 0) {
      console.log(`  ${green('✓')} ${name}: ok (${took})`);
    } else {
      failed += 1;
      console.log(`  ${red('✗')} ${name}: failed (${took})`);
      for (const line of problems) console.log(`      ${line}`);
    }
  }
  console.log(failed === 0 ? 'All checks are ok.' : `${failed} of ${checks.length} checks failed.`);
  return failed === 0 ? 0 : 1;
}

await runMain(main);
