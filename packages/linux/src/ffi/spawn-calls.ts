import { O_CLOEXEC, O_RDWR } from './constants.ts';
import { check, checkUnless, declare, declareAside, errnoNameOf } from './library.ts';
import { hostPath, terminated } from './byte-string.ts';
import { SystemError } from './system-error.ts';

// Safe, all of them: buffers live during the call and are larger than what is put into them (the
// largest of these structs has 336 bytes in glibc and musl); strings end with NUL, lists with null.
const spawnCall = declareAside(
  'int posix_spawn(void *pid, void *path, void *actions, void *attributes, const char **argv, const char **envp)',
);
const initActions = declare('int posix_spawn_file_actions_init(void *actions)');
const destroyActions = declare('int posix_spawn_file_actions_destroy(void *actions)');
const addDup2 = declare('int posix_spawn_file_actions_adddup2(void *actions, int fd, int target)');
const addOpen = declare(
  'int posix_spawn_file_actions_addopen(void *actions, int target, void *path, int flags, uint32_t mode)',
);
const initAttributes = declare('int posix_spawnattr_init(void *attributes)');
const destroyAttributes = declare('int posix_spawnattr_destroy(void *attributes)');
const setFlags = declare('int posix_spawnattr_setflags(void *attributes, int16_t flags)');
const setDefaults = declare('int posix_spawnattr_setsigdefault(void *attributes, void *set)');
const setMask = declare('int posix_spawnattr_setsigmask(void *attributes, void *set)');
const waitCall = declare('int waitpid(int pid, void *status, int options)');
const pipeCall = declare('int pipe2(void *ends, int flags)');
const memfdCall = declare('int memfd_create(void *name, uint32_t flags)');

const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const WNOHANG = 1;
const MFD_CLOEXEC = 1;

const structBytes = 1024;
const signalSetBytes = 128;
const nothing = terminated(hostPath('/dev/null'));

const noSignals = Buffer.alloc(signalSetBytes);
/** 1 to 31: those of programs. */
const allSignals = Buffer.alloc(signalSetBytes);
allSignals.writeUInt32LE(0x7fffffff, 0);

export interface SpawnCallOptions {
  /** Descriptors that become 0, 1 and 2; /dev/null where there is none. */
  readonly standard: readonly [number | undefined, number | undefined, number | undefined];
  /** `NAME=value` each. */
  readonly environment: readonly string[];
}

/**
 * Starts a program and says its process id. The C library does not copy this process's page tables
 * for it, as a fork does; a thread of the pool stands still until the new program begins. It is
 * in a session of its own, and every signal does in it what it does by default. The caller waits for
 * its end.
 * @param path absolute @throws SystemError, also when the program cannot be executed
 */
export async function spawn(
  path: string,
  argv: readonly string[],
  options: SpawnCallOptions,
): Promise<number> {
  const actions = Buffer.alloc(structBytes);
  const attributes = Buffer.alloc(structBytes);
  done(initActions(actions));
  try {
    done(initAttributes(attributes));
    try {
      for (const [target, fd] of options.standard.entries())
        done(
          fd === undefined
            ? addOpen(actions, target, nothing, O_RDWR, 0)
            : addDup2(actions, fd, target),
        );
      done(setDefaults(attributes, allSignals));
      done(setMask(attributes, noSignals));
      done(setFlags(attributes, SETSIGDEF | SETSIGMASK | SETSID));
      const pid = Buffer.alloc(4);
      const program = terminated(hostPath(path));
      const environment = [...options.environment, null];
      const errno = await spawnCall(
        pid,
        program,
        actions,
        attributes,
        [...argv, null],
        environment,
      );
      done(errno, `start ${path}`);
      return pid.readInt32LE(0);
    } finally {
      destroyAttributes(attributes);
    }
  } finally {
    destroyActions(actions);
  }
}

/** These calls return an errno's number instead of setting it. */
function done(errno: number, what = 'posix_spawn'): void {
  if (errno !== 0) throw new SystemError(errnoNameOf(errno), what);
}

const statusBuffer = Buffer.alloc(4);

/**
 * How a child has ended, as `waitpid` tells it, once; undefined while it runs.
 * @throws SystemError ECHILD when it is no child, or its end was told before
 */
export function childStatus(pid: number): number | undefined {
  const found = checkUnless('EAGAIN', 'waitpid', () => waitCall(pid, statusBuffer, WNOHANG));
  return found === pid ? statusBuffer.readInt32LE(0) : undefined;
}

/** The reading and the writing end of a new pipe; the caller closes both. @throws SystemError EMFILE */
export function createPipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const ends = Buffer.alloc(8);
  check('pipe2', () => pipeCall(ends, O_CLOEXEC));
  return { readEnd: ends.readInt32LE(0), writeEnd: ends.readInt32LE(4) };
}

const memoryName = terminated(hostPath('input'));

/** A file without a name in memory; the caller closes it. @throws SystemError EMFILE */
export function createMemoryFile(): number {
  return check('memfd_create', () => memfdCall(memoryName, MFD_CLOEXEC));
}
