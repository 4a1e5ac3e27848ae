import { type Engine, loginShell } from '@sandport/engine';
import {
  maxTerminalSide,
  SandportFault,
  type StartCommand,
  startCommandSchema,
} from '@sandport/protocol';
import type { Exchange } from '../../../http/exchange.ts';
import { check } from '../../../http/read-json.ts';
import { KeptTarget, OpenTarget, type Target } from './target.ts';

/** What is shown again of a terminal that somebody comes back to. */
const shownAgainBytes = 64 * 1024;
const side = { min: 1, max: maxTerminalSide };

/**
 * Starts a command with a terminal as the query says, or finds a kept one.
 * @throws SandportFault
 */
export async function openTerminal(exchange: Exchange, engine: Engine): Promise<Target> {
  const { query, principal, signal } = exchange;
  const sandbox = exchange.param('id');
  const commandId = query.get('command_id');
  if (commandId !== undefined) return attach(exchange, engine, commandId);
  const request = requestOf(exchange);
  if (query.flag('keep', false)) {
    const { id, pid } = await engine.kept.start(principal, sandbox, request);
    return new KeptTarget(engine, principal, sandbox, { id, pid, since: 0, signal });
  }
  const { cmd, args = [], cwd, env, user, tty = { rows: 24, cols: 80 } } = request;
  const how = { cwd, env, user, terminal: { rows: tty.rows, columns: tty.cols } };
  const what = cmd === undefined ? { args: args, ...how } : { cmd, ...how };
  const target = new OpenTarget(await engine.commands.open(principal, sandbox, what));
  target.hangUpOn(signal);
  return target;
}

function requestOf({ query }: Exchange): StartCommand {
  const cmd = query.get('cmd');
  return check(startCommandSchema, {
    ...(cmd === undefined ? { args: [...loginShell] } : { cmd }),
    cwd: query.get('cwd'),
    user: query.get('user'),
    env: { TERM: query.get('term') ?? 'xterm-256color' },
    tty: { rows: query.integer('rows', side) ?? 24, cols: query.integer('cols', side) ?? 80 },
  });
}

async function attach(exchange: Exchange, engine: Engine, id: string): Promise<Target> {
  const { query, principal, signal } = exchange;
  const sandbox = exchange.param('id');
  const command = engine.kept.get(principal, sandbox, id);
  const carried = { sandbox, command: command.id };
  if (!command.tty)
    throw new SandportFault(
      'not_a_terminal',
      `The command ${command.id} has no terminal.`,
      carried,
    );
  if (command.status !== 'running')
    throw new SandportFault(
      'command_ended',
      `The command ${command.id} does not run any more.`,
      carried,
    );
  const rows = query.integer('rows', side);
  const cols = query.integer('cols', side);
  if (rows !== undefined && cols !== undefined)
    await engine.kept.resize(principal, sandbox, command.id, { rows, columns: cols });
  const since = Math.max(command.stdout_bytes - shownAgainBytes, command.stdout_start);
  return new KeptTarget(engine, principal, sandbox, {
    id: command.id,
    pid: command.pid,
    since,
    signal,
  });
}
