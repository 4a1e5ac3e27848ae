import { type Command, Option } from 'commander';
import type { DaemonFlags } from '@sandport/daemon';

/**
 * Adds the daemon's own options to a command and gives it the action, with what was given of them.
 * Loads the daemon, which takes a moment: only for the commands that run it.
 */
export async function addDaemonFlags(
  command: Command,
  act: (flags: DaemonFlags, command: Command) => Promise<void>,
): Promise<void> {
  const { daemonOptions, defaultConfigFile, environmentName } = await import('@sandport/daemon');
  for (const { key, flag, description, defaultText, list } of daemonOptions) {
    const option = new Option(
      flag,
      `${description} (${environmentName(key)}; default: ${defaultText})`,
    );
    command.addOption(list === true ? option.argParser(collect) : option);
  }
  command.option(
    '--config <file>',
    `JSON file with these settings, as data_dir (SANDPORT_CONFIG; default: ${defaultConfigFile} when it is there)`,
  );
  command.action(async (_options: unknown, self: Command) => {
    const given = self.opts<Record<string, string | string[] | undefined>>();
    const flags = Object.fromEntries(
      daemonOptions.map(({ key }) => [key, given[camelCase(key)]] as const),
    );
    const config = given['config'];
    await act({ ...flags, ...(typeof config === 'string' && { config }) }, self);
  });
}

const collect = (value: string, previous: readonly string[] = []) => [...previous, value];

/** The name under which commander keeps a flag. */
const camelCase = (key: string) =>
  key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
