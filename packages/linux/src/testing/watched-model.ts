import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DirectoryWatcher } from '../inotify/directory-watcher.ts';
import type { DirectoryEvent } from '../inotify/watch-event.ts';

/** What a reader of a watcher's events believes to be in the directory. */
export class WatchedModel {
  /** Paths below the directory. */
  readonly paths: Set<string>;
  readonly events: DirectoryEvent[] = [];
  readonly #directory: string;
  readonly reading: Promise<void>;

  /** Begins with what is in the directory. @param directory path on the host */
  constructor(watcher: DirectoryWatcher, directory: string) {
    this.#directory = directory;
    this.paths = new Set(listed(directory));
    this.reading = this.#read(watcher);
  }

  /** As it is. */
  get truth(): string[] {
    return listed(this.#directory).sort();
  }

  get believed(): string[] {
    return [...this.paths].sort();
  }

  get resyncs(): number {
    return this.events.filter(({ kind }) => kind === 'resync').length;
  }

  /** Resolves when an event with this text has come, as `created a/b`. */
  async seen(text: string, timeoutMs = 10_000): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    while (!this.events.some((event) => textOf(event) === text)) {
      if (performance.now() > untilMs) throw new Error(`"${text}" did not come`);
      await sleep(5);
    }
  }

  async #read(watcher: DirectoryWatcher): Promise<void> {
    for await (const event of watcher) {
      this.events.push(event);
      this.#apply(event);
    }
  }

  #apply(event: DirectoryEvent): void {
    if (event.kind === 'resync') {
      this.paths.clear();
      for (const path of listed(this.#directory)) this.paths.add(path);
    } else if (event.kind === 'removed') this.#remove(event.path);
    else if (event.kind === 'renamed') this.#rename(event.from, event.path);
    else if (event.kind !== 'end') {
      // What is in a new directory is told after it.
      if (event.kind === 'created' && this.paths.has(event.path)) this.#remove(event.path);
      this.paths.add(event.path);
    }
  }

  #remove(path: string): void {
    for (const each of this.#within(path)) this.paths.delete(each);
  }

  #rename(from: string, to: string): void {
    const moved = this.#within(from);
    // Nothing is known of it: it was seen at its new place already.
    if (moved.length > 0) this.#remove(to);
    this.#remove(from);
    for (const path of moved) this.paths.add(to + path.slice(from.length));
    this.paths.add(to);
  }

  #within(path: string): string[] {
    return [...this.paths].filter((each) => each === path || each.startsWith(`${path}/`));
  }
}

/** As `created a/b`, `renamed c from a`, `resync overflow`. */
export function textOf(event: DirectoryEvent): string {
  if (event.kind === 'end') return 'end';
  if (event.kind === 'resync') return `resync ${event.reason}`;
  const from = event.kind === 'renamed' ? ` from ${event.from}` : '';
  return `${event.kind} ${event.path}${from}`;
}

function listed(directory: string, below = ''): string[] {
  const paths: string[] = [];
  try {
    for (const entry of readdirSync(join(directory, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      paths.push(path);
      if (entry.isDirectory()) paths.push(...listed(directory, path));
    }
  } catch {
    // It went away meanwhile.
  }
  return paths;
}
