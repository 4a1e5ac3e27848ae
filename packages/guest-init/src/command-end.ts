import { constants } from 'node:os';
import { InitError } from './init-error.ts';
import { ExitFlag, START_STEPS } from './wire.ts';

export interface InitCommandExit {
  /** Exit code, or 128 + signal number. */
  readonly exitCode: number;
  /** As SIGKILL. */
  readonly signal?: string;
  readonly timedOut: boolean;
  readonly oomKilled: boolean;
}

const SIGNAL_NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(constants.signals)) {
  if (!SIGNAL_NAMES.has(number)) SIGNAL_NAMES.set(number, name);
}

/** @param payload of EXIT, 3 bytes */
export function decodeExit(payload: Buffer): InitCommandExit {
  const code = payload.readUInt8(0);
  const signal = payload.readUInt8(1);
  const flags = payload.readUInt8(2);
  return {
    exitCode: signal === 0 ? code : 128 + signal,
    ...(signal === 0 ? {} : { signal: SIGNAL_NAMES.get(signal) ?? `SIG${signal}` }),
    timedOut: (flags & ExitFlag.timedOut) !== 0,
    oomKilled: (flags & ExitFlag.oomKilled) !== 0,
  };
}

/** @param payload of START_FAILED, 5 bytes. @returns undefined when it names no step */
export function decodeStartFailure(payload: Buffer): InitError | undefined {
  const step = START_STEPS[payload.readUInt8(0) - 1];
  return step && InitError.notStarted(step, payload.readInt32LE(1));
}
