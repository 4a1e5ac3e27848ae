import { constants } from 'node:os';
import koffi from 'koffi';
import { SystemError } from './system-error.ts';

/** The C library that Node itself runs on. It is loaded on the main thread only. */
const library = koffi.load(null);

const errnoNames = new Map<number, string>();
for (const [name, value] of Object.entries(constants.errno)) {
  if (!errnoNames.has(value)) errnoNames.set(value, name);
}
// One number with two names; this one is what manual pages of Linux use.
errnoNames.set(constants.errno.EOPNOTSUPP, 'EOPNOTSUPP');

/** System call numbers that C libraries of supported systems have no wrapper for. */
const numbersByArchitecture = {
  x64: { mknodat: 259, statx: 332, openTree: 428, moveMount: 429, openat2: 437, mountSetattr: 442 },
  arm64: {
    mknodat: 33,
    statx: 291,
    openTree: 428,
    moveMount: 429,
    openat2: 437,
    mountSetattr: 442,
  },
} as const;

function numbersOfThisMachine(): (typeof numbersByArchitecture)['x64' | 'arm64'] {
  if (process.arch === 'x64' || process.arch === 'arm64') {
    return numbersByArchitecture[process.arch];
  }
  throw new Error(`sandport runs on x64 and arm64 machines, this one is ${process.arch}`);
}

export const systemCallNumbers = numbersOfThisMachine();

type Argument = number | bigint | Uint8Array | readonly (string | null)[] | null;
/** A C function whose result is an integer, -1 with errno on failure. */
export type NativeCall = (...args: Argument[]) => number;

/**
 * Declares a C function by its prototype. Pointers are `void *` and take a Uint8Array, whose memory
 * the callee may use until it returns and no longer; a `const char **` takes an array of strings
 * that ends with null, copied for the call.
 */
export function declare(prototype: string): NativeCall {
  const native: (...args: Argument[]) => unknown = library.func(prototype);
  return (...args) => Number(native(...args));
}

/**
 * The same on a thread of the pool. What it may use lives until the result is there; its errno cannot
 * be asked for, and nothing of it may depend on what the main thread is for a moment.
 */
export function declareAside(prototype: string): (...args: Argument[]) => Promise<number> {
  const native: { async: (...args: unknown[]) => void } = library.func(prototype);
  return (...args) =>
    new Promise((resolve, reject) => {
      native.async(...args, (error: Error | null, result: unknown) => {
        // Keeps them until here.
        void args.length;
        if (error) reject(error);
        else resolve(Number(result));
      });
    });
}

/** Runs a call, again when a signal interrupted it. @throws SystemError */
export function check(syscall: string, call: () => number): number {
  for (;;) {
    const result = call();
    if (result !== -1) return result;
    const code = currentErrno();
    if (code !== 'EINTR') throw new SystemError(code, syscall);
  }
}

/** The same; undefined where nothing has that name (ENOENT), which costs no exception. */
export function checkPresent(syscall: string, call: () => number): number | undefined {
  return checkUnless('ENOENT', syscall, call);
}

/** The same for any one errno that is an ordinary answer. */
export function checkUnless(
  ordinary: string,
  syscall: string,
  call: () => number,
): number | undefined {
  for (;;) {
    const result = call();
    if (result !== -1) return result;
    const code = currentErrno();
    if (code === ordinary) return undefined;
    if (code !== 'EINTR') throw new SystemError(code, syscall);
  }
}

/** Name of the last failed call's errno; to be asked directly after it. */
const currentErrno = (): string => errnoNameOf(koffi.errno());

/** Name of an errno, as in `ENOENT`. */
export const errnoNameOf = (errno: number): string => errnoNames.get(errno) ?? `E${errno}`;
