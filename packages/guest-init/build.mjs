// Builds the static init from native/ into dist-native/ with the system's C compiler, when a
// source is newer than the binary.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const sourceDir = path.join(here, 'native');
const outDir = path.join(here, 'dist-native');
const binary = path.join(outDir, 'sandport-init');

function modifiedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

const inputs = readdirSync(sourceDir).map((name) => path.join(sourceDir, name));
const newestMs = Math.max(modifiedMs(fileURLToPath(import.meta.url)), ...inputs.map(modifiedMs));
if (modifiedMs(binary) < newestMs) {
  mkdirSync(outDir, { recursive: true });
  const unfinished = `${binary}.${process.pid}`;
  const flags = ['-std=c11', '-Os', '-static', '-Wall', '-Wextra', '-Werror', '-s'];
  const hardening = ['-fstack-protector-strong', '-D_FORTIFY_SOURCE=2', '-fno-strict-aliasing'];
  const sources = inputs.filter((file) => file.endsWith('.c')).toSorted();
  const compiler = process.env.CC ?? 'cc';
  const args = [...flags, ...hardening, '-o', unfinished, ...sources];
  const result = spawnSync(compiler, args, { stdio: 'inherit' });
  if (result.error !== undefined || result.status !== 0) {
    rmSync(unfinished, { force: true });
    const reason = result.error?.message ?? `it ended with status ${result.status}`;
    console.error(`cannot build the guest init with ${compiler}: ${reason}`);
    process.exit(1);
  }
  renameSync(unfinished, binary);
  console.log(`built ${path.relative(process.cwd(), binary)}`);
}
