import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import {
  kubeconfigOf,
  kubectls,
  noKubectl,
  repoDir,
  useDaemon,
  waitFor,
} from '../harness/index.ts';
import { Reader } from './reader.ts';

// Every program of the guide about programs of agent-sandbox, as it stands there.
const used = useDaemon({ kubernetes: true });
const reader = new Reader('docs/guides/agent-sandbox.md', used);
const run = promisify(execFile);

const client = join(repoDir, '.setup/python-clients/1.0/bin/python');
const noClient = 'the client of agent-sandbox could not be installed by the set-up';
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  const kubeconfig = kubectls.length > 0 ? kubeconfigOf(used.daemon) : '';
  environment = {
    PATH: [dirname(kubectls[0] ?? ''), process.env.PATH].join(':'),
    HOME: used.daemon.homeDir,
    KUBECONFIG: kubeconfig,
  };
});

const nothingLeft = () =>
  waitFor(async () => (await used.api.list()).length === 0, { what: 'the end of its sandbox' });

/** Runs the page's script with an interpreter. */
async function script(program: string, before: readonly string[], env: NodeJS.ProcessEnv) {
  const file = await reader.save('script.py', await reader.block('Five minutes', 1));
  const { stdout } = await run(program, [...before, file], { cwd: dirname(file), env });
  return stdout;
}

test('the script runs with the package', async (context) => {
  if (kubectls.length === 0) context.skip(noKubectl);
  if (!existsSync(client)) context.skip(noClient);
  expect(await script(client, [], environment)).toBe("3\n\nb'1\\n2\\n3\\n'\n");
  await nothingLeft();
});

test('the script runs without the package', async () => {
  const { url, apiKey } = used.daemon;
  const printed = await script(
    join(repoDir, '.venv/bin/python'),
    ['-m', 'sandport.agent_sandbox'],
    { PATH: process.env.PATH, SANDPORT_URL: url, SANDPORT_API_KEY: apiKey },
  );
  expect(printed).toBe("3\n\nb'1\\n2\\n3\\n'\n");
  await nothingLeft();
});

test('the commands run', async (context) => {
  if (kubectls.length === 0) context.skip(noKubectl);
  const file = await reader.save(
    'commands.sh',
    (await reader.block('Commands for people')).replace('export KUBECONFIG=./kubeconfig', ''),
  );
  const { stdout } = await run('bash', ['-euo', 'pipefail', file], {
    cwd: dirname(file),
    env: environment,
  });
  expect(stdout).toContain('hello from ');
  expect(stdout).toContain('\n1,2,3\n');
  expect(stdout).toMatch(/sandboxclaim.extensions.agents.x-k8s.io\/mine +True +/);
  await nothingLeft();
});
