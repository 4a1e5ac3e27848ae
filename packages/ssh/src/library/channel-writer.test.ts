import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import type { Connection, ServerChannel } from 'ssh2';
import { expect, test } from 'vitest';
import { ChannelWriter } from './channel-writer.ts';

/** A connection of the library, as far as a writer knows it. */
function begin() {
  const protocol = {};
  const connection = Object.assign(new EventEmitter(), { _protocol: protocol });
  const channel = Object.assign(new PassThrough(), { stderr: new PassThrough() });
  const socket = new PassThrough();
  const ended = new AbortController();
  const writer = new ChannelWriter(channel as unknown as ServerChannel, {
    connection: connection as unknown as Connection,
    socket: socket as unknown as Socket,
    closed: ended.signal,
  });
  const agree = (begun: boolean) =>
    Object.assign(protocol, { _kexinit: begun ? Buffer.alloc(1) : undefined });
  return { agree, connection, channel, ended, writer };
}

test('nothing is written while keys are agreed on, for the library would keep it all', async () => {
  const { agree, connection, channel, writer } = begin();
  agree(true);
  const written = writer.write('stdout', Buffer.from('later'));
  await new Promise(setImmediate);
  expect(channel.readableLength).toBe(0);
  agree(false);
  connection.emit('handshake');
  expect(await written).toBe(true);
  expect(String(channel.read())).toBe('later');
  expect(connection.listenerCount('handshake')).toBe(0);
});

test('whoever waits for an agreement does so no longer when the channel closes', async () => {
  const { agree, connection, channel, ended, writer } = begin();
  agree(true);
  const written = writer.write('stderr', Buffer.from('never'));
  ended.abort();
  expect(await written).toBe(false);
  expect(channel.stderr.readableLength).toBe(0);
  expect(connection.listenerCount('handshake')).toBe(0);
});
