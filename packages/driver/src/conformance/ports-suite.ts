import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../commands.ts';
import type { DriverSandbox } from '../driver.ts';
import { expectFault, mebibyte, run, useHarness, within } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

/** Gives back what it gets, and ends after its client has. */
const echo = (port: number, host = '127.0.0.1') => `
import socket, threading
family = socket.AF_INET6 if ":" in "${host}" else socket.AF_INET
server = socket.socket(family, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("${host}", ${port}))
server.listen(256)
print("ready", flush=True)
def serve(client):
  while True:
    data = client.recv(65536)
    if not data: break
    client.sendall(data)
  client.sendall(b"bye")
  client.close()
while True:
  threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`;

/** Accepts one client, for a program that has `client`. */
const acceptOne = (port: number, program: string) =>
  `import socket,time,struct\ns=socket.create_server(("127.0.0.1",${port}))\n` +
  `print("ready",flush=True)\nclient=s.accept()[0]\n${program}`;

async function serve({ commands }: DriverSandbox, program: string): Promise<Command> {
  const server = await commands.start({ args: ['python3', '-c', program] });
  server.exit.catch(() => {});
  server.stderr.resume();
  await within(20_000, once(server.stdout, 'data'));
  server.stdout.resume();
  return server;
}

export function portsSuite(subject: ConformanceSubject): void {
  describe('ports', () => {
    const harness = useHarness(subject);
    let sandbox: DriverSandbox;
    beforeAll(async () => {
      sandbox = await harness.create({
        limits: { cpu: 2, memoryBytes: 512 * mebibyte, pids: 200 },
      });
      await serve(sandbox, echo(7000));
    });

    test('give bytes both ways, and each way ends on its own', async () => {
      const connection = await sandbox.commands.connect(7000);
      connection.write('hello');
      const [first] = await once(connection, 'data');
      expect(String(first)).toBe('hello');
      connection.end(' and more');
      expect(await text(connection)).toBe(' and morebye');
      expect([connection.bytesWritten, connection.bytesRead]).toEqual([14, 17]);
      await expect.poll(() => connection.closed).toBe(true);
    });

    test('go on taking bytes when the other side has ended', async () => {
      const program =
        'client.sendall(b"greeting"); client.shutdown(socket.SHUT_WR); n=0\n' +
        'while True:\n  d=client.recv(65536)\n  if not d: break\n  n+=len(d)\n' +
        'open("/tmp/got","w").write(str(n))';
      const server = await serve(sandbox, acceptOne(7001, program));
      const connection = await sandbox.commands.connect(7001);
      let greeting = '';
      connection.on('data', (bytes: Buffer) => (greeting += bytes.toString()));
      await within(15_000, once(connection, 'end'));
      expect(greeting).toBe('greeting');
      connection.end(Buffer.alloc(300_000));
      expect((await within(15_000, server.exit)).exitCode).toBe(0);
      expect((await run(sandbox, 'cat /tmp/got')).stdout).toBe('300000');
    });

    test('are reached by either kind of loopback address', async () => {
      await serve(sandbox, echo(7002, '::1'));
      const connection = await sandbox.commands.connect(7002);
      connection.end('six');
      expect(await text(connection)).toBe('sixbye');
    });

    test('say when nothing listens', async () => {
      const fault = await expectFault(sandbox.commands.connect(7003), 'port_not_open');
      expect(fault.details).toEqual({ sandbox: sandbox.id, port: 7003 });
      expect(fault.message).toContain('7003');
    });

    test('deliver many bytes unchanged', async () => {
      const bytes = Buffer.alloc(20 * mebibyte, 'a pattern of nineteen');
      const connection = await sandbox.commands.connect(7000);
      connection.end(bytes);
      const back = await within(60_000, buffer(connection));
      expect(back.subarray(0, -3).equals(bytes)).toBe(true);
    });

    test('hold back a program whose client does not read, and nobody else', async () => {
      const program = 'data=bytes(65536)\nwhile True: client.sendall(data)';
      const server = await serve(sandbox, acceptOne(7004, program));
      const connection = await sandbox.commands.connect(7004);
      await once(connection, 'readable');
      await sleep(300);
      expect(connection.bytesRead).toBeLessThan(mebibyte);
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
      connection.destroy();
      expect((await within(10_000, server.exit)).exitCode).toBe(1);
    });

    test('carry many connections at once', async () => {
      const answers = await within(
        30_000,
        Promise.all(
          Array.from({ length: 100 }, async (_, i) => {
            const connection = await sandbox.commands.connect(7000);
            connection.end(`${i}`);
            return text(connection);
          }),
        ),
      );
      expect(answers).toEqual(answers.map((_, i) => `${i}bye`));
    });

    test('refuse more connections than there is room for', async () => {
      const server = await serve(
        sandbox,
        'import socket,time\ns=socket.create_server(("127.0.0.1",7005),backlog=4096)\n' +
          'print("ready",flush=True)\ntime.sleep(600)',
      );
      const opened = await within(
        30_000,
        Promise.all(Array.from({ length: 1024 }, () => sandbox.commands.connect(7005))),
      );
      await expectFault(sandbox.commands.connect(7005), 'limit_reached');
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
      for (const connection of opened) connection.destroy();
      server.kill('SIGKILL');
      await expect
        .poll(() => sandbox.commands.connect(7000).then((it) => it.destroy().destroyed), {
          timeout: 10_000,
        })
        .toBe(true);
    });

    test('break with the program that listens', async () => {
      const server = await serve(sandbox, acceptOne(7006, 'client.recv(1); time.sleep(600)'));
      const connection = await sandbox.commands.connect(7006);
      connection.write('xy');
      await sleep(100);
      server.kill('SIGKILL');
      connection.resume();
      const ended = new Promise((resolve) => {
        connection.once('end', resolve).once('error', resolve);
      });
      await within(15_000, ended);
      connection.destroy();
    });

    test('tell of a connection that was reset', async () => {
      const linger =
        'client.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack("ii",1,0)); client.close()';
      await serve(sandbox, acceptOne(7007, `client.recv(1)\n${linger}`));
      const connection = await sandbox.commands.connect(7007);
      connection.write('x');
      connection.resume();
      const [error] = await within(15_000, once(connection, 'error'));
      expect(error).toMatchObject({ code: 'ECONNRESET' });
    });

    test('are the sandbox’s own: none of the machine’s', async () => {
      const other = await harness.create();
      await expectFault(other.commands.connect(7000), 'port_not_open');
      await expectFault(sandbox.commands.connect(22), 'port_not_open');
    });

    test('a pause holds a connection, and resume lets it go on', async (context) => {
      if (subject.lacking?.pause !== undefined) context.skip(subject.lacking.pause);
      const connection = await sandbox.commands.connect(7000);
      await harness.driver.pause(sandbox.id);
      await expectFault(sandbox.commands.connect(7000), 'invalid_state');
      connection.end('written meanwhile');
      await sleep(200);
      await harness.driver.resume(sandbox.id);
      expect(await within(15_000, text(connection))).toBe('written meanwhilebye');
    });

    test('a hibernation ends connections; what listens still does afterwards', async () => {
      const spec = harness.spec();
      const sleeper = await harness.create(spec);
      await serve(sleeper, echo(7000));
      const connection = await sleeper.commands.connect(7000);
      connection.write('x');
      connection.resume();
      const closed = once(connection, 'close').catch(() => {});
      const { hibernation } = await harness.driver.hibernate(spec.id);
      await within(15_000, closed);
      expect(connection.destroyed).toBe(true);
      const { sandbox: woken, memory } = await harness.driver.wake(spec);
      expect(memory).toBe(hibernation.memory);
      if (memory) {
        const again = await woken.commands.connect(7000);
        again.end('again');
        expect(await within(15_000, text(again))).toBe('againbye');
      } else await expectFault(woken.commands.connect(7000), 'port_not_open');
    });

    test('a sandbox that is removed ends its connections', async () => {
      const doomed = await harness.create();
      await serve(doomed, echo(7000));
      const connection = await doomed.commands.connect(7000);
      connection.resume();
      const closed = once(connection, 'close').catch(() => {});
      await harness.driver.remove(doomed.id);
      await within(15_000, closed);
      await expectFault(doomed.commands.connect(7000), 'invalid_state');
    });
  });
}
