import { randomUUID } from 'node:crypto';
import type { TemplateInfo } from '@sandport/driver';
import { SandportFault, type TemplateBuild, type TemplateName } from '@sandport/protocol';
import { BuildLog } from './build-log.ts';

export interface BuildWork {
  readonly name: TemplateName;
  /** A build of the same name and key that has not ended serves this one too. */
  readonly key: string;
  /** Called when its turn has come. */
  readonly run: (onLine: (line: string) => void, signal: AbortSignal) => Promise<TemplateInfo>;
  /** Called once, however it ends. */
  readonly cleanUp?: () => void;
}

/** A build that was asked for, under way or ended. */
export interface Build {
  readonly id: string;
  readonly name: TemplateName;
  readonly log: BuildLog;
  /** Never an unhandled rejection. */
  readonly done: Promise<TemplateInfo>;
  readonly object: TemplateBuild;
}

interface HeldBuild extends Build {
  object: TemplateBuild;
  readonly work: BuildWork;
  readonly abort: AbortController;
  readonly resolve: (info: TemplateInfo) => void;
  readonly reject: (error: unknown) => void;
}

/** Builds at one time; more only wait for the same disk. */
const atOnce = 2;
/** Builds that have ended and can still be asked for. */
const kept = 100;

/** Builds in the order in which they were asked for, one at a time for each template. */
export class TemplateBuilds {
  readonly #builds = new Map<string, HeldBuild>();
  readonly #running = new Set<HeldBuild>();
  #closed = false;

  /** Begins a build as soon as it is its turn. @throws SandportFault `shutting_down` */
  add(work: BuildWork): Build {
    if (this.#closed) throw new SandportFault('shutting_down', 'The daemon is stopping.');
    const same = [...this.#builds.values()].find(
      ({ object, work: other }) =>
        isOpen(object) && other.name === work.name && other.key === work.key,
    );
    if (same !== undefined) {
      work.cleanUp?.();
      return same;
    }
    let resolve: HeldBuild['resolve'] = () => undefined;
    let reject: HeldBuild['reject'] = () => undefined;
    const done = new Promise<TemplateInfo>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    done.catch(() => undefined);
    const id = randomUUID();
    const started_at = new Date().toISOString();
    const object: TemplateBuild = { id, name: work.name, status: 'queued', started_at };
    const log = new BuildLog();
    const abort = new AbortController();
    const build = { id, name: work.name, log, done, object, work, abort, resolve, reject };
    this.#builds.set(id, build);
    this.#forgetOld();
    this.#startNext();
    return build;
  }

  /** The build of a template that has not ended, the last one asked for. */
  open(name: string): Build | undefined {
    return [...this.#builds.values()].findLast(
      (build) => build.name === name && isOpen(build.object),
    );
  }

  /** Newest first. */
  list(name?: string): TemplateBuild[] {
    return [...this.#builds.values()]
      .filter((build) => name === undefined || build.name === name)
      .map(({ object }) => object)
      .toReversed();
  }

  /** @throws SandportFault `build_not_found` */
  get(id: string): Build {
    const build = this.#builds.get(id);
    if (build !== undefined) return build;
    throw new SandportFault('build_not_found', `No build of a template has the id "${id}".`, {
      build: id,
    });
  }

  /** Ends a build and resolves when nothing of it is left; one that has ended stays as it is. */
  async cancel(id: string): Promise<void> {
    this.get(id);
    const build = this.#builds.get(id);
    if (build === undefined || !isOpen(build.object)) return;
    const reason = 'the build was cancelled';
    this.#stop(
      build,
      new SandportFault('template_build_failed', `${build.name}: ${reason}.`, {
        template: build.name,
        reason,
      }),
    );
    await build.done.catch(() => undefined);
  }

  /** Ends all builds. */
  close(): void {
    this.#closed = true;
    for (const build of this.#builds.values())
      if (isOpen(build.object))
        this.#stop(build, new SandportFault('shutting_down', 'The daemon is stopping.'));
  }

  #stop(build: HeldBuild, fault: SandportFault): void {
    build.abort.abort(fault);
    if (build.object.status === 'queued') this.#end(build, fault);
  }

  #startNext(): void {
    for (const build of this.#builds.values()) {
      if (this.#running.size >= atOnce) return;
      const busy = [...this.#running].some(({ name }) => name === build.name);
      if (build.object.status === 'queued' && !busy) void this.#run(build);
    }
  }

  async #run(build: HeldBuild): Promise<void> {
    this.#running.add(build);
    build.object = { ...build.object, status: 'running' };
    try {
      const info = await build.work.run((line) => build.log.push(line), build.abort.signal);
      this.#end(build, undefined, info);
    } catch (error) {
      this.#end(build, error);
    } finally {
      this.#running.delete(build);
      this.#startNext();
    }
  }

  #end(build: HeldBuild, error: unknown, info?: TemplateInfo): void {
    const ended_at = new Date().toISOString();
    if (info !== undefined) {
      build.object = { ...build.object, status: 'done', ended_at };
      build.resolve(info);
    } else {
      const fault =
        error instanceof SandportFault
          ? error
          : new SandportFault('internal', 'The build ended unexpectedly.', {}, { cause: error });
      const { message, code } = fault;
      build.object = { ...build.object, status: 'failed', error: message, code, ended_at };
      build.reject(fault);
    }
    build.log.end();
    build.work.cleanUp?.();
  }

  #forgetOld(): void {
    const ended = [...this.#builds.values()].filter(({ object }) => !isOpen(object));
    for (const { id } of ended.slice(0, Math.max(0, ended.length - kept))) this.#builds.delete(id);
  }
}

const isOpen = ({ status }: TemplateBuild): boolean => status === 'queued' || status === 'running';
