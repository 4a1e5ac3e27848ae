import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repoDir } from './paths.ts';
import { identityOf, signal, whenEnded } from './process-identity.ts';
import { testRun } from './run-marker.ts';
import { waitFor } from './wait-for.ts';
import { freePort } from './free-port.ts';

/** A real registry of images on the loopback, without TLS. */
export interface TestRegistry extends AsyncDisposable {
  /** Host and port. */
  readonly address: string;
  /** Copies the image of an OCI layout to `name` in the registry. @returns its full reference */
  push(layout: string, name: string, options?: readonly string[]): Promise<string>;
}

/** The program, or why there is none. */
export function registryProgram(): { readonly path?: string; readonly missing: string } {
  const unpacked = join(repoDir, '.setup/tools/docker-registry/usr/bin/docker-registry');
  const path = [unpacked, '/usr/bin/docker-registry'].find((each) => existsSync(each));
  const missing = 'docker-registry is not here; run `npm run setup`';
  return path === undefined ? { missing } : { path, missing };
}

/** The one user of a registry that asks for one. */
export const registryUser = { name: 'reader', password: 'secret word' };
const passwordHash = '$2b$04$xAotZfDLIfa4/X1ZzJ2noe3HvJOuxZIkJh.Y96J5V4gCbXAglr0M6';

/** @param directory empty; @param options.locked only {@link registryUser} may read and write */
export async function startRegistry(
  directory: string,
  options: { readonly locked?: boolean } = {},
): Promise<TestRegistry> {
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const users = join(directory, 'htpasswd');
  writeFileSync(users, `${registryUser.name}:${passwordHash}\n`);
  const config = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(directory, 'storage') } },
    http: { addr: address },
    ...(options.locked ? { auth: { htpasswd: { realm: 'tests', path: users } } } : {}),
  };
  const file = join(directory, 'config.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  const { path, missing } = registryProgram();
  if (path === undefined) throw new Error(missing);
  const child = spawn(path, ['serve', file], {
    stdio: 'ignore',
    env: { ...process.env, ...testRun().env },
  });
  const running = identityOf(child.pid ?? 0);
  if (running === undefined) throw new Error('docker-registry could not be started');
  await waitFor(() => isUp(address), { timeoutMs: 10_000, what: 'the registry' });
  const creds = options.locked
    ? [`--dest-creds=${registryUser.name}:${registryUser.password}`]
    : [];
  return {
    address,
    push: async (layout, name, more = []) => {
      const reference = `${address}/${name}`;
      const args = ['copy', '--insecure-policy', '--dest-tls-verify=false', ...creds, ...more];
      await promisify(execFile)('skopeo', [...args, `oci:${layout}`, `docker://${reference}`]);
      return reference;
    },
    [Symbol.asyncDispose]: async () => {
      signal(running, 'SIGTERM');
      await whenEnded(running, 5_000);
    },
  };
}

async function isUp(address: string): Promise<true | undefined> {
  try {
    const { status } = await fetch(`http://${address}/v2/`);
    return status < 500 ? true : undefined;
  } catch {
    return undefined;
  }
}
