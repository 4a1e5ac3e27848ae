import { openSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { OutputPipe } from '../processes/output-pipe.ts';
import { type Program, startProgram } from '../processes/start-program.ts';

export interface UserNamespaceOptions {
  /** Host id of guest id 0. */
  readonly base: number;
  /** How many ids are mapped. */
  readonly count: number;
}

/** How long util-linux's unshare may take. */
const LONGEST_START_MS = 10_000;

/**
 * A descriptor of a new user namespace in which ids 0..count-1 are the host's base..base+count-1.
 * No process is left in it. The caller closes it. Takes some milliseconds: keep it and use it again.
 */
export async function createUserNamespace(options: UserNamespaceOptions): Promise<number> {
  using words = new OutputPipe();
  // Whatever happens to this process, it ends by itself.
  const script = `echo ready; exec sleep ${LONGEST_START_MS / 1000}`;
  const program = await startProgram('unshare', ['--user', 'sh', '-c', script], {
    stdout: words.writeEnd,
    stderr: words.writeEnd,
  });
  words.closeWriteEnd();
  const timer = setTimeout(() => program.signal('SIGKILL'), LONGEST_START_MS);
  try {
    const said = await firstWords(words, program);
    if (said.trim() !== 'ready')
      throw new Error(`a user namespace could not be made: ${said.trim() || 'unshare failed'}`);
    const map = `0 ${options.base} ${options.count}\n`;
    await writeFile(`/proc/${program.pid}/gid_map`, map);
    await writeFile(`/proc/${program.pid}/uid_map`, map);
    const link = `/proc/${program.pid}/ns/user`;
    if (readlinkSync(link) === readlinkSync('/proc/self/ns/user'))
      throw new Error('a user namespace could not be made: unshare stayed in ours');
    return openSync(link, 'r');
  } finally {
    clearTimeout(timer);
    program.signal('SIGKILL');
    await program.ended;
  }
}

/** Empty when it ends without a word. */
function firstWords(words: OutputPipe, program: Program): Promise<string> {
  return Promise.race([
    new Promise<string>((resolve) =>
      words.stream.once('data', (chunk: Buffer) => resolve(chunk.toString().slice(0, 1000))),
    ),
    Promise.all([program.ended, words.ended]).then(() => ''),
  ]);
}
