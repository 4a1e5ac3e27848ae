import { readdirSync, readFileSync } from 'node:fs';
import type { Layout } from '../layout.ts';

/**
 * Kills processes of the runtimes that belong to sandboxes nobody knows: a runtime that was at work
 * when its daemon died goes on by itself, outside the control group of what it makes. They name
 * their bundle among their arguments.
 */
export function killStrayProcesses(layout: Layout, keep: ReadonlySet<string>): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const id = sandboxOf(pid, layout);
    if (id === undefined || keep.has(id)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** Subcommands of the runtimes that do one thing and end. */
const shortWork = new Set(['run', 'restore', 'checkpoint']);

/** Processes of the runtimes that start a sandbox or write its memory, not those that are it. */
export function runtimesAtWork(layout: Layout, id: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && sandboxOf(name, layout) === id)
    .filter((pid) =>
      commandLineOf(pid)
        .split('\0')
        .some((word) => shortWork.has(word)),
    )
    .map(Number);
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function sandboxOf(pid: string, layout: Layout): string | undefined {
  const commandLine = commandLineOf(pid);
  const at = commandLine.indexOf(`${layout.bundles}/`);
  if (at < 0) return undefined;
  return /^[^/\0]+/.exec(commandLine.slice(at + layout.bundles.length + 1))?.[0];
}
