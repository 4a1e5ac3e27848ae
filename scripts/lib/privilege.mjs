import { lchownSync, readdirSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { repoDir, setupDir } from './paths.mjs';
import { run } from './run.mjs';

export const isRoot = process.geteuid() === 0;

/** Environment that a command under sudo keeps: what steers downloads, the tests and Sandport. */
const keptVariables =
  /^(SANDPORT_|PIP_|npm_config_|https?_proxy$|no_proxy$|CI$|TERM$|NODE_|TMPDIR$)/i;

/** The command line that runs a program as root: itself for root, else through sudo. */
export function rootCommand(command, args, env = {}) {
  if (isRoot) return { command, args, env };
  const kept = Object.entries({ ...process.env, ...env })
    .filter(([name, value]) => value !== undefined && (name in env || keptVariables.test(name)))
    .map(([name, value]) => `${name}=${value}`);
  const ask = process.stdin.isTTY ? [] : ['--non-interactive'];
  return { command: 'sudo', args: [...ask, '--', 'env', ...kept, command, ...args], env: {} };
}

/** Makes sure that root's rights can be had, asking for the password when there is a terminal. */
export async function ensureRootRights(why) {
  if (isRoot) return;
  const probe = process.stdin.isTTY
    ? await run('sudo', ['--validate'], { inherit: true })
    : await run('sudo', ['--non-interactive', 'true']);
  if (probe.missing) {
    throw new Failure(`${why} needs root, and there is no sudo: run the same command as root.`);
  }
  if (probe.code !== 0) {
    throw new Failure(`${why} needs root: run the same command as root, or as a user with sudo.`);
  }
}

/**
 * Who files in the repository should belong to: with `sudo npm run …` the person who typed it.
 * Undefined when this process's own user is right.
 */
export function invokingUser() {
  const uid = Number(process.env.SUDO_UID);
  if (!isRoot || !Number.isInteger(uid) || uid === 0) return undefined;
  if (statSync(repoDir).uid !== uid) return undefined;
  return { uid, gid: Number(process.env.SUDO_GID), name: process.env.SUDO_USER };
}

/** Options for `run` that make a step write as the person who owns the repository. */
export async function asInvokingUser() {
  const user = invokingUser();
  if (user === undefined) return {};
  const entry = await run('getent', ['passwd', String(user.uid)]);
  const home = entry.stdout.split(':')[5] ?? userInfo().homedir;
  const env = { HOME: home, USER: user.name, LOGNAME: user.name };
  // What `npm run` says about root's own cache and settings is not for this user.
  for (const name of Object.keys(process.env)) {
    if (/^npm_config_(cache|userconfig|prefix|init_module)$/i.test(name)) env[name] = undefined;
  }
  return { uid: user.uid, gid: user.gid, env };
}

/** Gives paths that root made in the repository, with all below them, to the repository's owner. */
export async function giveBack(...paths) {
  const user = invokingUser();
  if (user) await run('chown', ['-R', '-h', `${user.uid}:${user.gid}`, '--', ...paths]);
}

/** The same for what the scripts keep; templates stay root's, as sandboxes need them. */
export async function giveBackSetupDir() {
  const user = invokingUser();
  if (user === undefined) return;
  lchownSync(setupDir, user.uid, user.gid);
  const own = readdirSync(setupDir).filter((name) => name !== 'templates');
  await giveBack(...own.map((name) => join(setupDir, name)));
}

/** Set for a script that runs again as root after its set-up. */
export const isSecondRun = process.env.SANDPORT_SETUP_DONE === 'yes';

/** Runs this same script once more as root; resolves to its exit code. */
export async function reexecAsRoot(why) {
  await ensureRootRights(why);
  const again = rootCommand(process.execPath, process.argv.slice(1), {
    SANDPORT_SETUP_DONE: 'yes',
  });
  const result = await run(again.command, again.args, { inherit: true });
  return result.code;
}
