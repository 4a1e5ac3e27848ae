/** Numbers of the wire protocol; PROTOCOL.md describes them. */

export const PROTOCOL_VERSION = 4;
/** Inits that keep no commands. */
export const PROTOCOL_VERSION_THIRD = 3;
/** Inits that know neither terminals nor connections to ports. */
export const PROTOCOL_VERSION_SECOND = 2;
/** Inits of the first release; they cannot be suspended, and their limits stay what they are. */
export const PROTOCOL_VERSION_FIRST = 1;

/** Bytes after the length word of a frame. Both sides refuse more. */
export const FRAME_MAX_BYTES = 1024 * 1024;
/** Credit of each output stream when a command starts. */
export const OUTPUT_WINDOW_BYTES = 256 * 1024;
/** Bytes of stdin that may be sent ahead. */
export const STDIN_WINDOW_BYTES = 64 * 1024;
/** The same for a connection to a port. */
export const PORT_WINDOW_BYTES = 256 * 1024;
/** Commands that an init keeps at one time; ended ones count until they are forgotten. */
export const KEPT_MAX = 256;
export const KEY_BYTES = 16;
/** The init numbers kept commands from here on, the daemon all others below. */
export const KEPT_ID_FIRST = 0x8000_0000;
/** No stream has an offset above this. */
export const OFFSET_MAX = 2 ** 52;

/** Connections to ports at one time. */
export const CONNECTIONS_MAX = 1024;

export const ToInit = {
  helloOk: 0x01,
  start: 0x02,
  stdin: 0x03,
  stdinClose: 0x04,
  kill: 0x05,
  credit: 0x06,
  ping: 0x07,
  suspend: 0x08,
  limits: 0x09,
  resize: 0x0a,
  connect: 0x0b,
  close: 0x0c,
  resume: 0x0d,
  forget: 0x0e,
} as const;

export const FromInit = {
  hello: 0x81,
  started: 0x82,
  startFailed: 0x83,
  stdout: 0x84,
  stderr: 0x85,
  stdinCredit: 0x86,
  exit: 0x87,
  pong: 0x88,
  log: 0x89,
  suspended: 0x8a,
  notSuspended: 0x8b,
  connected: 0x8c,
  connectFailed: 0x8d,
  streamEnd: 0x8e,
  closed: 0x8f,
  kept: 0x90,
  keptEnd: 0x91,
  forgotten: 0x92,
} as const;

export const StartTag = {
  arg: 1,
  env: 2,
  cwd: 3,
  user: 4,
  timeoutMs: 5,
  stdin: 6,
  terminal: 7,
  keep: 8,
} as const;

export const ExitFlag = { timedOut: 1, oomKilled: 2 } as const;

export const KeptFlag = { ended: 1, stdin: 2, terminal: 4 } as const;

/** What went wrong before the program ran, by its number on the wire. */
export const START_STEPS = ['request', 'resources', 'user', 'cwd', 'exec'] as const;
export type StartStep = (typeof START_STEPS)[number];
