import { join } from 'node:path';
import type { Engine } from '@sandport/engine';
import {
  type ClientFile,
  readClientFile,
  writeClientFile,
  writeUserClientFile,
} from './client-file.ts';
import type { DaemonConfig } from './config/resolve.ts';

/**
 * Sees to it that clients on this machine work without settings: keeps the key of the last start
 * while it is valid, makes one otherwise, and writes where the daemon listens.
 */
export async function publishLocalKey(
  engine: Engine,
  config: DaemonConfig,
  url: string,
  environment: NodeJS.ProcessEnv,
): Promise<ClientFile> {
  const file = join(config.dataDir, 'client.json');
  const last = await readClientFile(file);
  const valid = last !== undefined && engine.keys.authenticate(last.api_key) !== undefined;
  const api_key = valid ? last.api_key : engine.keys.issue({ label: 'local' }).api_key;
  const content = { url, api_key };
  await writeClientFile(file, content);
  if (config.isDefaultDataDir) await writeUserClientFile(content, environment);
  return content;
}
