import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const skippedDirectories = new Set(['node_modules', 'dist', 'dist-native', '__pycache__']);

/** Files below a directory, sorted; build output and dependencies left out. Missing: none. */
export function filesBelow(directory, keep = () => true) {
  const found = [];
  const visit = (folder) => {
    let entries;
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch {
      return;
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skippedDirectories.has(entry.name) && !entry.name.endsWith('.egg-info')) visit(path);
      } else if (entry.isFile() && keep(path)) {
        found.push(path);
      }
    }
  };
  visit(directory);
  return found.sort();
}

/** One hash over names and contents; a missing file counts as missing. */
export function hashContents(paths, extra = '') {
  const hash = createHash('sha256').update(extra);
  for (const path of paths) {
    hash.update(`\0${path}\0`);
    try {
      hash.update(readFileSync(path));
    } catch {
      hash.update('missing');
    }
  }
  return hash.digest('hex');
}

/** One hash over names, sizes and modification times: for many files that are read rarely. */
export function hashTimes(paths, extra = '') {
  const hash = createHash('sha256').update(extra);
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    hash.update(`\0${path}\0${stat?.size}\0${stat?.mtimeMs}`);
  }
  return hash.digest('hex');
}

/** A stamp is a small file that holds the hash of the inputs of a step that was completed. */
export function stampMatches(stampFile, inputs) {
  try {
    return readFileSync(stampFile, 'utf8') === inputs;
  } catch {
    return false;
  }
}

/** Written as the last act of a step, atomically, so that a crash leaves the old one or none. */
export function writeStamp(stampFile, inputs) {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(`${stampFile}.new`, inputs);
  renameSync(`${stampFile}.new`, stampFile);
}
