import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server elsewhere. */
export interface OtherServer {
  readonly address: string;
  readonly port: number;
}

/** A machine elsewhere, in a network namespace of this one. */
export interface OtherSide extends OtherServer, AsyncDisposable {
  /** A second server; it takes what the processor has left, as one that is truly elsewhere would. */
  readonly patient: OtherServer;
}

const name = 'spbench';
const address = '203.0.113.242';
const port = 9000;
const patientPort = 9001;

/** Says a word; then sends for as long as it is read, or takes all, as the first byte wishes. */
const server = (listenPort: number) => `
const { createServer } = require('node:net');
const chunk = Buffer.alloc(1 << 18);
createServer((socket) => {
  socket.on('error', () => undefined);
  socket.write('!');
  socket.once('data', (first) => {
    socket.on('data', () => undefined);
    if (first[0] !== 100) return;
    const more = () => { while (!socket.destroyed && socket.write(chunk)); };
    socket.on('drain', more);
    more();
  });
}).listen({ port: ${listenPort}, host: '${address}', backlog: 4096 }, () => console.log('ready'));
`;

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });

export async function startOtherSide(): Promise<OtherSide> {
  const undo = () => {
    for (const args of [
      ['netns', 'del', name],
      ['link', 'del', name],
    ])
      try {
        ip(...args);
      } catch {
        // It is gone already.
      }
  };
  undo();
  ip('netns', 'add', name);
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'up0', 'netns', name);
  ip('addr', 'add', '203.0.113.241/28', 'dev', name);
  ip('link', 'set', name, 'up');
  ip('-n', name, 'addr', 'add', `${address}/28`, 'dev', 'up0');
  ip('-n', name, 'link', 'set', 'up0', 'up');
  const inside = (...command: string[]) =>
    spawn('nsenter', [`--net=/run/netns/${name}`, ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const children = [
    inside(process.execPath, '-e', server(port)),
    inside('nice', '-n', '19', process.execPath, '-e', server(patientPort)),
  ];
  await Promise.all(children.map(({ stdout }) => once(stdout, 'data')));
  return {
    address,
    port,
    patient: { address, port: patientPort },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      undo();
    },
  };
}
