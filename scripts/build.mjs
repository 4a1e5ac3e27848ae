import { runMain } from './lib/failure.mjs';
import { bold, step } from './lib/progress.mjs';
import { buildGuestInit, buildTypeScript } from './setup/build.mjs';
import { bundleCommandLine } from './setup/bundle.mjs';

await runMain(async () => {
  console.log(bold('Build'));
  await step('guest init', buildGuestInit);
  await step('TypeScript build', buildTypeScript);
  await step('command line', bundleCommandLine);
});
