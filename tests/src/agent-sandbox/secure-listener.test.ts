import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, watch, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import {
  freePort,
  Kube,
  newDataDir,
  openSocket,
  repoDir,
  sandportBin,
  startDaemon,
  templatesDir,
  testRun,
  useDaemon,
} from '../harness/index.ts';

describe('the listener', () => {
  const used = useDaemon({ kubernetes: true });

  test('has an authority whose key nobody else can read', async () => {
    const directory = join(used.daemon.dataDir, 'kubernetes');
    expect(readdirSync(directory).sort()).toEqual(['ca.crt', 'ca.key']);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'ca.key')).mode & 0o777).toBe(0o600);
  });

  test('speaks TLS 1.2 and later only', async () => {
    using kube = await Kube.of(used.daemon);
    const { hostname, port } = new URL(kube.server);
    const speak = async (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => {
      const socket = tlsConnect({
        host: hostname,
        port: Number(port),
        ca: kube.ca,
        minVersion: version,
        maxVersion: version,
        ciphers: 'DEFAULT:@SECLEVEL=0',
      });
      try {
        await once(socket, 'secureConnect');
        return socket.getProtocol();
      } catch (error) {
        return String(error);
      } finally {
        socket.destroy();
      }
    };
    expect(await speak('TLSv1.2')).toBe('TLSv1.2');
    expect(await speak('TLSv1.3')).toBe('TLSv1.3');
    expect(await speak('TLSv1.1')).toContain('protocol version');
  });

  test('asks for a key, but at the health endpoints', async () => {
    using kube = await Kube.of(used.daemon, 'sp_wrong');
    for (const path of ['/livez', '/readyz', '/healthz'])
      expect(await kube.send('GET', path)).toMatchObject({ status: 200, body: 'ok' });
    for (const path of ['/api', '/apis', '/openapi/v3', '/api/v1/namespaces', '/nowhere'])
      expect(await kube.send('GET', path)).toMatchObject({
        status: 401,
        body: { kind: 'Status', reason: 'Unauthorized' },
      });
  });

  test('what is neither TLS nor HTTP ends its own connection only', async () => {
    using kube = await Kube.of(used.daemon);
    const end = new AbortController();
    const one = '/api/v1/namespaces?fieldSelector=metadata.name%3Ddefault';
    const events = kube.watch(one, end.signal);
    await events.next();
    const { port } = new URL(kube.server);
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      Buffer.alloc(100_000, 0x16),
      '\u0016\u0003\u0001',
    ]) {
      const socket = await openSocket(`http://127.0.0.1:${port}`);
      socket.on('error', () => {});
      socket.write(bytes);
      socket.destroySoon();
    }
    for (const text of ['NOT HTTP\r\n\r\n', 'GET /a b c HTTP/9\r\n\r\n', '\u0000\r\n\r\n']) {
      const socket = tlsConnect({ host: '127.0.0.1', port: Number(port), ca: kube.ca });
      socket.on('error', () => {});
      socket.resume().write(text);
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect((await kube.send('GET', '/version')).status).toBe(200);
    const next = events.next();
    expect(await Promise.race([next, sleep(100, 'open')])).toBe('open');
    end.abort();
    await next;
  });
});

describe('the router on the API', () => {
  const used = useDaemon({ kubernetes: true });
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });
  const health = (headers: Record<string, string>, path = '/healthz') =>
    fetch(`${used.daemon.url}/agent-sandbox/router${path}`, { headers });

  test('takes a key as token, as header and as password', async () => {
    const { apiKey } = used.daemon;
    for (const headers of [
      { authorization: `Bearer ${apiKey}` },
      { 'x-api-key': apiKey },
      basic('sandport', apiKey),
    ]) {
      const answer = await health(headers);
      expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
    }
  });

  test('refuses others in its own words', async () => {
    for (const headers of [
      {},
      { authorization: 'Bearer sp_wrong' },
      basic('sandport', 'sp_wrong'),
      basic(used.daemon.apiKey, ''),
    ]) {
      const answer = await health(headers as Record<string, string>);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('Basic');
      expect(await answer.json()).toEqual({ detail: expect.stringContaining('API key') });
    }
  });
});

test('an old kubeconfig works after a restart', async () => {
  const port = await freePort();
  const args = ['--kubernetes-listen', `127.0.0.1:${port}`];
  await using daemon = await startDaemon({ kubernetes: true, args });
  using before = await Kube.of(daemon);
  expect((await before.send('GET', '/version')).status).toBe(200);
  await daemon.restart();
  expect((await before.send('GET', '/version')).status).toBe(200);
});

test('a port that nobody asked for may be taken, another may not', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const address = blocker.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  try {
    {
      // The later --listen is the one that counts.
      await using daemon = await startDaemon({
        kubernetes: true,
        args: ['--listen', `127.0.0.1:${port - 1}`],
      });
      const answer = await daemon.api.send('GET', '/v1/kubernetes');
      expect(answer.status).toBe(404);
      expect(answer.body.toString()).toContain('kubernetes_off');
      expect(JSON.stringify(await daemon.log())).toContain('another program listens there');
    }
    const asked = startDaemon({
      kubernetes: true,
      args: ['--kubernetes-listen', `127.0.0.1:${port}`],
    });
    await expect(asked).rejects.toThrow('--kubernetes-listen');
  } finally {
    blocker.close();
  }
});

test('a damaged authority is an error that names the file', async () => {
  const dataDir = newDataDir();
  try {
    {
      await using _ = await startDaemon({ kubernetes: true, dataDir });
    }
    writeFileSync(join(dataDir, 'kubernetes/ca.crt'), 'damaged');
    await expect(startDaemon({ kubernetes: true, dataDir })).rejects.toThrow(
      /kubernetes\/ca\.crt does not hold/,
    );
    await using _ = await startDaemon({
      kubernetes: true,
      dataDir,
      args: ['--kubernetes-listen', 'off'],
    });
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

test('a user of the pod network who does not exist is an error that names it', async () => {
  const args = ['--pod-network-users', 'nobody-of-this-name'];
  await expect(startDaemon({ kubernetes: true, args })).rejects.toThrow('nobody-of-this-name');
});

test('a kill in the first start leaves the whole authority or none', async () => {
  const states = new Set<string>();
  for (const [attempt, delayMs] of [0, 0, 1, 4].entries()) {
    const dataDir = newDataDir();
    try {
      const args = ['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir];
      const child = spawn(process.execPath, [sandportBin, ...args], {
        cwd: repoDir,
        stdio: 'ignore',
        env: { ...process.env, ...testRun().env, SANDPORT_TEMPLATES_DIR: templatesDir },
      });
      const ended = once(child, 'exit');
      await firstSign(dataDir, attempt === 0 ? /^kubernetes$/ : /^kubernetes\./);
      await sleep(delayMs);
      child.kill('SIGKILL');
      await ended;
      const left = readdirSync(dataDir);
      if (left.includes('kubernetes')) {
        expect(readdirSync(join(dataDir, 'kubernetes')).sort()).toEqual(['ca.crt', 'ca.key']);
        states.add('whole');
      } else states.add('none');
      await using daemon = await startDaemon({ kubernetes: true, dataDir });
      using kube = await Kube.of(daemon);
      expect((await kube.send('GET', '/version')).status).toBe(200);
      expect(readdirSync(dataDir).filter((name) => name.startsWith('kubernetes.'))).toEqual([]);
    } finally {
      await rm(dataDir, { recursive: true });
    }
  }
  expect(states).toContain('whole');
});

/** Resolves when a name that matches is made or renamed in the directory. */
function firstSign(directory: string, pattern: RegExp): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(directory, (_event, name) => {
      if (name === null || !pattern.test(name)) return;
      watcher.close();
      resolve();
    });
  });
}
