// Builds what runs inside sandboxes from native/ into dist-native/ with the system's C compiler,
// when a source is newer than the binary: the static init, and the library that is preloaded under
// gVisor.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const sourceDir = path.join(here, 'native');
const outDir = path.join(here, 'dist-native');
const preloadDir = path.join(sourceDir, 'preload');

function modifiedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function build(binary, directory, flags) {
  const inputs = readdirSync(directory).map((name) => path.join(directory, name));
  const newestMs = Math.max(modifiedMs(fileURLToPath(import.meta.url)), ...inputs.map(modifiedMs));
  if (modifiedMs(binary) >= newestMs) return;
  mkdirSync(outDir, { recursive: true });
  const unfinished = `${binary}.${process.pid}`;
  const sources = inputs.filter((file) => file.endsWith('.c')).toSorted();
  const compiler = process.env.CC ?? 'cc';
  const strict = ['-std=c11', '-Os', '-Wall', '-Wextra', '-Werror', '-s'];
  const args = [...strict, ...flags, '-o', unfinished, ...sources];
  const result = spawnSync(compiler, args, { stdio: 'inherit' });
  if (result.error !== undefined || result.status !== 0) {
    rmSync(unfinished, { force: true });
    const reason = result.error?.message ?? `it ended with status ${result.status}`;
    console.error(`cannot build ${path.basename(binary)} with ${compiler}: ${reason}`);
    process.exit(1);
  }
  renameSync(unfinished, binary);
  console.log(`built ${path.relative(process.cwd(), binary)}`);
}

const hardening = ['-fstack-protector-strong', '-D_FORTIFY_SOURCE=2', '-fno-strict-aliasing'];
build(path.join(outDir, 'sandport-init'), sourceDir, ['-static', ...hardening]);
// Few and small segments: every start of a program under gVisor pays for mapping them.
const small = '-Wl,-z,noseparate-code,-z,norelro,--build-id=none,--hash-style=gnu';
const freestanding = ['-shared', '-fPIC', '-nostdlib', small];
build(path.join(outDir, 'gvisor-preload.so'), preloadDir, freestanding);
