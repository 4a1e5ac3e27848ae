import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { repoDir, testRun, type UsedDaemon } from '../harness/index.ts';
import { codeBlocks } from './code-blocks.ts';

const run = promisify(execFile);

/**
 * Somebody who reads a page and runs its programs, in a home directory that knows the daemon only by
 * the client.json that a daemon writes.
 */
export class Reader {
  readonly #page: string;
  #home = '';

  /** @param page path in the repository */
  constructor(page: string, used: UsedDaemon) {
    this.#page = page;
    beforeAll(async () => {
      this.#home = await mkdtemp(join(testRun().tempDir, 'reader-'));
      const config = join(this.#home, '.config/sandport');
      await mkdir(config, { recursive: true });
      const { url, apiKey } = used.daemon;
      await writeFile(join(config, 'client.json'), JSON.stringify({ url, api_key: apiKey }));
      await symlink(join(repoDir, 'node_modules'), join(this.#home, 'node_modules'));
      await this.save('package.json', '{"type":"module"}');
    });
    afterAll(() => rm(this.#home, { recursive: true, force: true }));
  }

  /** A block of code under a heading of the page; the first is 0. */
  async block(heading: string, at = 0): Promise<string> {
    const page = await readFile(join(repoDir, this.#page), 'utf8');
    const block = codeBlocks(page).filter((each) => each.heading === heading)[at];
    if (block === undefined)
      throw new Error(`${this.#page} has no block ${at} of code under "${heading}"`);
    return block.code;
  }

  path(name: string): string {
    return join(this.#home, name);
  }

  async save(name: string, text: string): Promise<string> {
    await mkdir(join(this.path(name), '..'), { recursive: true });
    await writeFile(this.path(name), text);
    return this.path(name);
  }

  read(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8');
  }

  /** Compiles the TypeScript under a heading under strict rules and runs it; its output. */
  async runTypeScript(heading: string): Promise<string> {
    const source = await this.save('program.ts', await this.block(heading));
    const types = ['--types', 'node', '--typeRoots', join(repoDir, 'node_modules/@types')];
    const target = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck'];
    await this.#run('tsc', [...target, ...types, source]);
    return this.#run(process.execPath, [this.path('program.js')]);
  }

  async runPython(heading: string): Promise<string> {
    const source = await this.save('program.py', await this.block(heading));
    return this.#run(join(repoDir, '.venv/bin/python'), [source]);
  }

  async runShell(heading: string): Promise<string> {
    const source = await this.save('program.sh', await this.block(heading));
    return this.#run('bash', ['-euo', 'pipefail', source]);
  }

  /** With nothing in the environment but the home directory. */
  async #run(program: string, args: readonly string[]): Promise<string> {
    const PATH = [join(repoDir, 'node_modules/.bin'), process.env['PATH']].join(':');
    const env = { PATH, HOME: this.#home };
    const { stdout } = await run(program, args, { cwd: this.#home, env, timeout: 60_000 });
    return stdout;
  }
}
