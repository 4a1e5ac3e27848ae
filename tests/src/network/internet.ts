import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./internet-server.mjs', import.meta.url));

/** Servers of a network that stands in for the internet, each at an address of its own. */
export interface Internet extends AsyncDisposable {
  /** Where names are asked for. */
  readonly dns: string;
  /** What `allowed.test`, `www.wild.test` and `alias.test` lead to: ports 80, 443 and 8080. */
  readonly allowed: string;
  /** What `other.test` leads to. */
  readonly other: string;
  /** Of a private network. */
  readonly inside: string;
  /** Link-local, as metadata services have it. */
  readonly metadata: string;
  /** Questions that have reached the server of names. */
  questions(): Promise<string[]>;
}

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** Makes the network, on a machine that may have no other. */
export async function makeInternet(): Promise<Internet> {
  // Test files run beside each other: each has a number of its own.
  for (let tries = 0; ; tries++) {
    const number = (process.pid + tries) % 32;
    try {
      return await makeNumbered(number);
    } catch (error) {
      if (tries >= 5) throw error;
    }
  }
}

async function makeNumbered(number: number): Promise<Internet> {
  const name = `sptest${number}`;
  const device = `sptest${number}`;
  // Networks for examples, which nobody has: 16 parts of each.
  const publicNet = number < 16 ? '203.0.113' : '198.51.100';
  const first = (number % 16) * 16;
  const privateNet = `10.213.${number}`;
  const dns = `${publicNet}.${first + 2}`;
  const allowed = `${publicNet}.${first + 3}`;
  const other = `${publicNet}.${first + 4}`;
  const inside = `${privateNet}.2`;
  const metadata = `169.254.${number}.254`;
  const undo = () => {
    for (const args of [
      ['netns', 'del', name],
      ['link', 'del', device],
    ])
      try {
        ip(...args);
      } catch {
        // Gone with the namespace, or not made.
      }
  };
  ip('netns', 'add', name);
  let server: ChildProcess;
  try {
    ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'up0', 'netns', name);
    ip('addr', 'add', `${publicNet}.${first + 1}/28`, 'dev', device);
    ip('addr', 'add', `${privateNet}.1/24`, 'dev', device);
    ip('addr', 'add', `169.254.${number}.1/24`, 'dev', device);
    ip('link', 'set', device, 'up');
    for (const address of [dns, allowed, other])
      ip('-n', name, 'addr', 'add', `${address}/28`, 'dev', 'up0');
    for (const address of [inside, metadata])
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'up0');
    ip('-n', name, 'link', 'set', 'up0', 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    const web = [allowed, other, inside, metadata].flatMap((each) =>
      [80, 443, 8080].map((port) => [each, port]),
    );
    const A = (data: string) => ({ type: 'A', data });
    const names = {
      'allowed.test': [A(allowed), { type: 'AAAA', data: '2001:db8::1' }],
      'www.wild.test': [A(allowed)],
      'alias.test': [{ type: 'CNAME', data: 'allowed.test' }, A(allowed)],
      'ported.test': [A(other)],
      'other.test': [A(other)],
      'rebind.test': [inside, metadata, '127.0.0.1', '198.18.0.1', allowed].map(A),
      'long.test': Array.from({ length: 40 }, (_, at) => A(`192.88.99.${at + 1}`)),
      'text.test': [{ type: 'TXT', data: 'words' }],
    };
    const setting = JSON.stringify({ dns, names, tcp: web, udp: [[allowed, 9000]] });
    const command = [`--net=/run/netns/${name}`, process.execPath, program, setting];
    server = spawn('nsenter', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (server.stdout === null) throw new Error('no output');
    await once(server.stdout, 'data');
  } catch (error) {
    undo();
    throw error;
  }
  return {
    dns,
    allowed,
    other,
    inside,
    metadata,
    questions: async () => {
      const socket = connect(80, allowed);
      await once(socket, 'data');
      socket.write('asked');
      return JSON.parse(await text(socket)) as string[];
    },
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      undo();
    },
  };
}
