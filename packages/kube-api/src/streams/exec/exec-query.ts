import { KubeError } from '../../objects/kube-error.ts';

/** What the query of an exec request asks for. */
export interface ExecQuery {
  readonly command: readonly string[];
  readonly container: string | undefined;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/**
 * Reads the query. With a terminal there is no stderr, whatever it says.
 * @throws KubeError `BadRequest`
 */
export function readExecQuery(query: URLSearchParams): ExecQuery {
  const command = query.getAll('command');
  const tty = isSet(query, 'tty');
  const stdin = isSet(query, 'stdin');
  const stdout = isSet(query, 'stdout');
  const stderr = isSet(query, 'stderr') && !tty;
  if (command.length === 0 || command[0] === '')
    throw new KubeError('BadRequest', 'you must specify a command: query parameter "command"');
  if (!stdin && !stdout && !stderr)
    throw new KubeError('BadRequest', 'you must specify at least 1 of stdin, stdout, stderr');
  return { command, container: query.get('container') || undefined, stdin, stdout, stderr, tty };
}

/** As Kubernetes reads flags: set, unless it says otherwise. */
function isSet(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)?.toLowerCase();
  return value !== undefined && value !== '0' && value !== 'false';
}
