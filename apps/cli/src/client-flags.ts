import type { Command } from 'commander';
import { Client } from 'sandport';

/** Flags that every command takes which speaks to a daemon. */
export interface ClientFlags {
  url?: string;
  apiKey?: string;
  json?: boolean;
}

/** Adds them; a command takes them before and after its name. */
export function addClientFlags(command: Command): Command {
  return command
    .option('--url <url>', 'address of the daemon (SANDPORT_URL, then client.json)')
    .option('--api-key <key>', 'API key (SANDPORT_API_KEY, then client.json)')
    .option('--json', 'print JSON');
}

/** The flags of a command together with those before its name. */
export const clientFlags = (command: Command): ClientFlags =>
  command.optsWithGlobals<ClientFlags>();

export function clientOf({ url, apiKey }: ClientFlags): Client {
  return new Client({ url, apiKey });
}
