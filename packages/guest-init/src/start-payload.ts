import { constants } from 'node:os';
import { InitError } from './init-error.ts';
import { FRAME_MAX_BYTES, KEY_BYTES, StartTag } from './wire.ts';

export interface InitCommandSpec {
  /** Program and arguments; the program is looked up in PATH. At least one. */
  readonly args: readonly string[];
  /** Directory the command starts in. */
  readonly cwd: string;
  /**
   * The whole environment. PATH, HOME, SHELL, USER and LOGNAME are filled in from the guest's
   * passwd when they are missing.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Name of the guest's passwd, or a number. */
  readonly user: string;
  /** After this the group gets SIGTERM, and SIGKILL two seconds later. @default none */
  readonly timeoutMs?: number | undefined;
  /** False: the command reads end of file at once. @default false */
  readonly stdin?: boolean | undefined;
  /** Gives it a terminal of this size, which is its stdin, too. @default none */
  readonly terminal?: TerminalSize | undefined;
}

/** In characters; what is not from 1 to 65,535 becomes so. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

const UINT16_MAX = 0xffff;
const UINT32_MAX = 0xffff_ffff;
/** What a START frame has besides its payload. */
const HEAD_BYTES = 5;

function text(tag: number, value: string): Buffer {
  if (value.includes('\0')) throw InitError.notStarted('request', constants.errno.EINVAL);
  const bytes = Buffer.byteLength(value);
  const item = Buffer.allocUnsafe(5 + bytes);
  item.writeUInt8(tag, 0);
  item.writeUInt32LE(bytes, 1);
  item.write(value, 5);
  return item;
}

function envItem(name: string, value: string): Buffer {
  if (name === '' || name.includes('=')) {
    throw InitError.notStarted('request', constants.errno.EINVAL);
  }
  return text(StartTag.env, `${name}=${value}`);
}

function timeoutItem(timeoutMs: number): Buffer {
  if (Number.isNaN(timeoutMs)) throw InitError.notStarted('request', constants.errno.EINVAL);
  const item = Buffer.alloc(9);
  item.writeUInt8(StartTag.timeoutMs, 0);
  item.writeUInt32LE(4, 1);
  item.writeUInt32LE(Math.min(Math.max(Math.ceil(timeoutMs), 1), UINT32_MAX), 5);
  return item;
}

/** Payload of RESIZE. */
export function encodeTerminalSize({ columns, rows }: TerminalSize): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt16LE(characters(columns), 0);
  payload.writeUInt16LE(characters(rows), 2);
  return payload;
}

const characters = (count: number): number =>
  Math.min(Math.max(Math.trunc(count) || 1, 1), UINT16_MAX);

/**
 * Payload of START.
 * @param key of a command that is to be kept: 32 hexadecimal digits
 * @throws InitError `not_started`, step `request`: EINVAL, or E2BIG when it is over 1 MiB
 */
export function encodeStart(spec: InitCommandSpec, key?: string): Buffer {
  if (spec.args.length === 0) throw InitError.notStarted('request', constants.errno.EINVAL);
  const items = spec.args.map((arg) => text(StartTag.arg, arg));
  for (const [name, value] of Object.entries(spec.env)) items.push(envItem(name, value));
  items.push(text(StartTag.cwd, spec.cwd), text(StartTag.user, spec.user));
  if (spec.timeoutMs !== undefined && spec.timeoutMs !== Infinity) {
    items.push(timeoutItem(spec.timeoutMs));
  }
  if (spec.terminal !== undefined)
    items.push(Buffer.from([StartTag.terminal, 4, 0, 0, 0]), encodeTerminalSize(spec.terminal));
  else if (spec.stdin === true) items.push(Buffer.from([StartTag.stdin, 1, 0, 0, 0, 1]));
  if (key !== undefined)
    items.push(Buffer.from([StartTag.keep, KEY_BYTES, 0, 0, 0]), Buffer.from(key, 'hex'));
  const payload = Buffer.concat(items);
  if (payload.length > FRAME_MAX_BYTES - HEAD_BYTES) {
    throw InitError.notStarted('request', constants.errno.E2BIG);
  }
  return payload;
}
