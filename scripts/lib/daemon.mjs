import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { repoDir, sandportBin, templatesDir } from './paths.mjs';
import { endProcess, processStartTime } from './process-identity.mjs';

const startTimeoutMs = 30_000;

/**
 * Starts the real daemon on a free loopback port and waits until it answers.
 *
 * Options: dataDir; env, added to this process's; args, more options for `sandport serve`.
 * Resolves to {url, apiKey, pid, isolations, stop}: `stop` ends it with SIGTERM, which leaves its sandboxes be.
 */
export async function startDaemon({ dataDir, env = {}, args = [] }) {
  const logFile = join(dataDir, '..', 'daemon.log');
  const log = openSync(logFile, 'a');
  const child = spawn(
    process.execPath,
    [sandportBin, 'serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir, ...args],
    {
      cwd: repoDir,
      stdio: ['ignore', log, log],
      // A process group of its own: Ctrl-C is for the script, which then stops the daemon itself.
      detached: true,
      env: { ...process.env, SANDPORT_TEMPLATES_DIR: templatesDir, ...env },
    },
  );
  const identity = { pid: child.pid, startTime: processStartTime(child.pid) };
  const deadline = performance.now() + startTimeoutMs;
  const clientFile = join(dataDir, 'client.json');
  for (;;) {
    const settings = readSettings(clientFile);
    const isolations = isolationsIn(readFileSync(logFile, 'utf8'));
    if (settings && isolations && (await answers(settings.url))) {
      return {
        url: settings.url,
        apiKey: settings.api_key,
        pid: child.pid,
        isolations,
        stop: () => endProcess(identity, { graceMs: 12_000 }),
      };
    }
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      await endProcess(identity);
      const output = readFileSync(logFile, 'utf8').trim().split('\n').slice(-12);
      throw new Failure(
        'The daemon did not start: the lines above say why, and `npx sandport doctor` what this machine lacks.',
        { output },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** What the daemon's greeting names, strongest first; undefined before it has greeted. */
function isolationsIn(output) {
  const named = output.match(/^Sandport .*\(isolation: ([^;)]*)/m)?.[1];
  return named && ['gvisor', 'container'].filter((isolation) => named.includes(isolation));
}

function readSettings(path) {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Half-written: the next look finds it whole.
    return undefined;
  }
}

async function answers(url) {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

/** Deletes every sandbox of the daemon; for the end of a run, when it still answers. */
export async function deleteSandboxes({ url, apiKey }) {
  const headers = { authorization: `Bearer ${apiKey}` };
  const signal = AbortSignal.timeout(20_000);
  const answer = await fetch(`${url}/v1/sandboxes?limit=1000`, { headers, signal });
  const sandboxes = await answer.json();
  await Promise.all(
    sandboxes.map(({ id }) =>
      fetch(`${url}/v1/sandboxes/${id}`, { method: 'DELETE', headers, signal }),
    ),
  );
  return sandboxes.length;
}
