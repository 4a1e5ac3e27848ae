import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A machine elsewhere, in a network namespace of this one. */
export interface OtherSide extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

const name = 'spbench';
const address = '203.0.113.242';
const port = 9000;

/** Says a word; then sends for as long as it is read, or takes all, as the first byte wishes. */
const server = `
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
}).listen({ port: ${port}, host: '${address}', backlog: 4096 }, () => console.log('ready'));
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
  const child = spawn('nsenter', [`--net=/run/netns/${name}`, process.execPath, '-e', server], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    address,
    port,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
      undo();
    },
  };
}
