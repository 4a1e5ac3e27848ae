import { Refusal } from '../answers.ts';

/** What is wrong with a part of the body. */
interface Problem {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

const refuse = (problem: Problem): Refusal => new Refusal(422, { detail: [problem] });

export const missing = (field: string, input: unknown): Refusal =>
  refuse({ type: 'missing', loc: ['body', field], msg: 'Field required', input });

export const tooManyFiles = (): Refusal =>
  refuse({
    type: 'too_long',
    loc: ['body', 'file'],
    msg: 'The body has several files; send one a request',
    input: null,
  });

/** A command and how long it may run. */
export interface ExecuteBody {
  readonly command: string;
  readonly timeoutSeconds: number | undefined;
}

/** Longest that a command may be given, in seconds. */
const maxTimeoutSeconds = 604_800;

/** Reads the body of `/execute`. @throws Refusal with what is wrong, as FastAPI says it */
export function parseExecute(text: string): ExecuteBody {
  if (text.trim() === '')
    throw refuse({ type: 'missing', loc: ['body'], msg: 'Field required', input: null });
  const body = parseJson(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw refuse({
      type: 'model_attributes_type',
      loc: ['body'],
      msg: 'Input should be a valid dictionary or object to extract fields from',
      input: body,
    });
  const { command, timeout_seconds: timeout } = body as {
    readonly command?: unknown;
    readonly timeout_seconds?: unknown;
  };
  if (command === undefined) throw missing('command', body);
  if (typeof command !== 'string')
    throw refuse({
      type: 'string_type',
      loc: ['body', 'command'],
      msg: 'Input should be a valid string',
      input: command,
    });
  return { command, timeoutSeconds: parseTimeout(timeout) };
}

function parseTimeout(timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === null) return undefined;
  const loc = ['body', 'timeout_seconds'];
  if (typeof timeout !== 'number')
    throw refuse({
      type: 'float_type',
      loc,
      msg: 'Input should be a valid number',
      input: timeout,
    });
  if (timeout <= 0)
    throw refuse({
      type: 'greater_than',
      loc,
      msg: 'Input should be greater than 0',
      input: timeout,
      ctx: { gt: 0 },
    });
  return Math.min(timeout, maxTimeoutSeconds);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    throw refuse({
      type: 'json_invalid',
      loc: ['body', Number(at ?? 0)],
      msg: 'JSON decode error',
      input: {},
      ctx: { error: 'Expecting value' },
    });
  }
}
