import type { SshAccess } from './access.ts';

/** A sandbox with a host name of its own. */
export interface SandboxHost {
  /** As `box.sandport`. */
  readonly host: string;
  /** User name that leads to it. */
  readonly user: string;
}

/** Blocks for ssh_config: one for `USER@sandport`, and one for each of the sandboxes. */
export function configText(access: SshAccess, sandboxes: readonly SandboxHost[]): string {
  const block = (host: string, lines: readonly (readonly [string, string])[]) =>
    [`Host ${host}`, ...lines.map(([name, value]) => `  ${name} ${quoted(value)}`), ''].join('\n');
  const common: [string, string][] = [
    ['HostName', access.host],
    ['Port', String(access.port)],
    ...Object.entries(access.options),
  ];
  return [
    block('sandport', common),
    ...sandboxes.map(({ host, user }) => block(host, [['User', user], ...common])),
  ].join('\n');
}

const quoted = (value: string): string => (/\s/.test(value) ? `"${value}"` : value);

/** Puts the line that reads `file` before all else in a configuration, once. */
export function withInclude(config: string, file: string): string {
  const line = `Include ${quoted(file)}`;
  if (config.split('\n').some((each) => each.trim() === line)) return config;
  return `${line}\n${config === '' ? '' : `\n${config}`}`;
}
