import { once } from 'node:events';
import { namespaceSchema } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { CommandsDriver } from '../testing/commands-driver.ts';

/** An engine with a key and one sandbox. */
async function begin() {
  const state = openState(':memory:');
  const driver = new CommandsDriver();
  const engine = new Engine({ state, driver });
  const made = engine.keys.issue({});
  const key: Principal = { keyId: made.id };
  const { id } = await engine.sandboxes.create(key, {});
  // What listens is told by a command; here it tells nothing.
  const listed = async <T>(work: Promise<T>): Promise<T> => {
    await expect.poll(() => driver.commands.at(-1)?.spec.args[0]).toBe('cat');
    driver.commands.at(-1)?.stdout.end();
    return work;
  };
  return {
    engine,
    driver,
    ports: engine.ports,
    key,
    id,
    listed,
    [Symbol.dispose]: () => {
      engine[Symbol.dispose]();
      state[Symbol.dispose]();
    },
  };
}

test('what listens is read from the guest, and only numbers of it are believed', async () => {
  using box = await begin();
  const listing = box.ports.list(box.key, box.id);
  await expect.poll(() => box.driver.commands.length).toBe(1);
  const line = (address: string, port: string, state = '0A') =>
    `   0: ${address}:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000\n`;
  box.driver.commands[0]?.stdout.end(
    [
      '  sl  local_address rem_address   st tx_queue\n',
      line('0100007F', '1F90'),
      line('00000000000000000000000001000000', '1F90'),
      line('0100007F', '0BB8', '01'),
      line('0100007F', 'FFFF'),
      line('0100007F', '10000'),
      '   0: evil:1F91 00000000:0000 0A\n',
      'x'.repeat(100_000),
    ].join(''),
  );
  const detected = { listening: true, source: 'detected', visibility: 'private' };
  expect(await listing).toEqual([
    { port: 8080, ...detected },
    { port: 65535, ...detected },
  ]);
});

test('a guest that tells without end is not listened to for ever', async () => {
  using box = await begin();
  const listing = box.ports.list(box.key, box.id);
  await expect.poll(() => box.driver.commands.length).toBe(1);
  const { stdout } = box.driver.commands[0] ?? {};
  const write = () => {
    if (stdout?.destroyed === false) stdout.write('y\n'.repeat(50_000), write);
  };
  write();
  expect(await listing).toEqual([]);
  expect(box.driver.commands[0]?.told).toContain('SIGKILL');
});

test('an exposed port is told, changed, and gone with its sandbox', async () => {
  using box = await begin();
  const { ports, key, id } = box;
  await box.listed(ports.expose(key, id, { port: 80, label: 'web', visibility: 'public' }));
  expect(ports.visibility(id, 80)).toBe('public');
  expect(ports.visibility(id, 81)).toBeUndefined();
  expect(ports.visibility('x', 80)).toBeUndefined();
  const changed = await box.listed(ports.expose(key, id, { port: 80, visibility: 'private' }));
  expect(changed).toMatchObject({ label: 'web', visibility: 'private', source: 'exposed' });
  const stranger = { keyId: 's', namespaces: new Set([namespaceSchema.parse('other')]) };
  expect(() => ports.unexpose(stranger, id, 80)).toThrow(/No sandbox/);
  ports.unexpose(key, id, 80);
  expect(() => ports.unexpose(key, id, 80)).toThrow(/was not exposed/);
});

test('a link ends with its key and its sandbox', async () => {
  using box = await begin();
  const { token } = box.ports.sign(box.key, box.id, { port: 80 });
  expect(box.ports.open(token)).toMatchObject({ sandbox: box.id, port: 80, paths: [] });
  const other = box.engine.keys.issue({});
  const theirs = box.ports.sign({ keyId: other.id }, box.id, { port: 80 });
  box.engine.keys.remove(box.key, other.id);
  expect(() => box.ports.open(theirs.token)).toThrow(/no longer valid/);
  await box.engine.sandboxes.remove(box.key, box.id);
  expect(box.ports.isToken(token)).toBe(true);
  expect(() => box.ports.open(token)).toThrow(/no longer valid/);
});

test('a sandbox has a share of the connections', async () => {
  using box = await begin();
  const connect = () => box.ports.connect(box.key, box.id, 80);
  const first = await connect();
  await Promise.all(Array.from({ length: 255 }, connect));
  await expect(connect()).rejects.toMatchObject({ code: 'limit_reached' });
  first.destroy();
  await once(first, 'close');
  await connect();
  // What could not be made does not count.
  await expect(box.ports.connect(box.key, box.id, 1)).rejects.toMatchObject({
    code: 'limit_reached',
  });
});

test('a server gets a moment after a wake, and only then', async () => {
  using box = await begin();
  const shut = () => box.ports.connect(box.key, box.id, 1);
  await expect(shut()).rejects.toMatchObject({ code: 'port_not_open' });
  await box.engine.sandboxes.enter(box.key, box.id, 'hibernate');
  let woken = 0;
  const options = { onWake: () => (woken += 1) };
  const again = performance.now();
  await expect(box.ports.connect(box.key, box.id, 1, options)).rejects.toMatchObject({
    code: 'port_not_open',
  });
  expect(woken).toBe(1);
  expect(performance.now() - again).toBeGreaterThan(900);
});
