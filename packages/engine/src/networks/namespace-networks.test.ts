import { namespaceSchema, type Network, type SetNamespaceNetwork } from '@sandport/protocol';
import { openState, type State } from '@sandport/state';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { CopyingDriver } from '../testing/copying-driver.ts';

const team = namespaceSchema.parse('team');
const administrator: Principal = { keyId: 'k' };
const tenant: Principal = { keyId: 't', namespaces: new Set([team]) };
const all: Network = { egress: 'all' };
const listed: Network = { egress: 'allowlist', allow: ['a.test', '*.b.test:443'] };

/** Its template has a network of its own, when the test says so. */
class NetworkDriver extends CopyingDriver {
  network: Network | undefined;
  override readonly templates = {
    ...this.templatesOfBase,
    list: async () => {
      const infos = await this.templatesOfBase.list();
      return infos.map((info) => ({ ...info, network: this.network }));
    },
  };

  private get templatesOfBase() {
    return new CopyingDriver().templates;
  }
}

let state: State;
let driver: NetworkDriver;
let engine: Engine;
beforeEach(async () => {
  state = openState(':memory:');
  driver = new NetworkDriver();
  engine = new Engine({ state, driver });
  await engine.recover();
});
afterEach(() => {
  engine[Symbol.dispose]();
  state[Symbol.dispose]();
});

const set = (settings: SetNamespaceNetwork) => engine.networks.set(administrator, team, settings);
const create = (network?: Network, principal = tenant) =>
  engine.sandboxes.create(principal, { namespace: team, ...(network && { network }) });
const networkOf = (id: string) => engine.sandboxes.get(administrator, id).network;

test('the request comes before the template, that before the namespace, that before none', async () => {
  expect((await create()).network).toEqual({ egress: 'none' });
  await set({ default: listed });
  expect((await create()).network).toEqual(listed);
  expect((await create({ egress: 'none' })).network).toEqual({ egress: 'none' });
  driver.network = all;
  expect((await create()).network).toEqual(all);
  expect((await create(listed)).network).toEqual(listed);
  driver.network = { egress: 'none' };
  expect((await create()).network).toEqual({ egress: 'none' });
  const elsewhere = await engine.sandboxes.create(administrator, {});
  expect(elsewhere.network).toEqual({ egress: 'none' });
});

test('what is beyond the bound is refused, whoever asks and wherever it is written', async () => {
  await set({ max_egress: 'allowlist', max_allow: ['a.test', '1.0.0.0/8'] });
  const refused = { code: 'network_beyond_bound', details: { namespace: 'team' } };
  for (const principal of [tenant, administrator])
    await expect(create(all, principal)).rejects.toMatchObject(refused);
  await expect(create(listed)).rejects.toThrow(
    /only a\.test, 1\.0\.0\.0\/8.*rule "\*\.b\.test:443"/,
  );
  driver.network = all;
  await expect(create()).rejects.toThrow(/the template "base" has egress "all"; ask for less/);
  expect(engine.sandboxes.list(administrator, {}).sandboxes).toEqual([]);
  const { id } = await create({ egress: 'allowlist', allow: ['a.test:443'] });
  const change = engine.sandboxes.change(tenant, id, { network: all });
  await expect(change).rejects.toMatchObject(refused);
  expect(networkOf(id)).toMatchObject({ allow: ['a.test:443'] });
  // Other namespaces have other bounds.
  expect((await engine.sandboxes.create(administrator, { network: all })).network).toEqual(all);
});

test('a lower bound takes from sandboxes what is beyond it, those too that are being made', async () => {
  const [one, two, asleep] = await Promise.all([create(all), create(listed), create(all)]);
  await engine.sandboxes.enter(tenant, asleep.id, 'hibernate');
  let letOn = () => {};
  driver.gate = new Promise<void>((resolve) => (letOn = resolve));
  const making = create(all);
  const forking = engine.forks.fork(tenant, one.id, { count: 1 });
  await vi.waitFor(() => expect(engine.sandboxes.registry.all()).toHaveLength(5));
  const setting = set({ max_egress: 'allowlist', max_allow: ['*.b.test'] });
  await expect(create(all)).rejects.toMatchObject({ code: 'network_beyond_bound' });
  letOn();
  await setting;
  const born = [(await making).id, ...(await forking).children.map(({ id }) => id)];
  for (const id of [one.id, asleep.id, ...born]) expect(networkOf(id)).toEqual({ egress: 'none' });
  expect(networkOf(two.id)).toEqual({ egress: 'allowlist', allow: ['*.b.test:443'] });
  const events = engine.events.list(tenant, two.id);
  expect(events.at(-1)).toMatchObject({ type: 'changed', payload: { fields: ['network'] } });
});

test('a bound outlives the daemon, and what it was killed in the middle of is done', async () => {
  const { id } = await create(all);
  driver.failures.set('reconfigure', new Error('killed'));
  await expect(set({ max_egress: 'none' })).rejects.toThrow(new RegExp(`could not.*${id}`));
  expect(networkOf(id)).toEqual(all);
  driver.failures.clear();
  engine[Symbol.dispose]();
  driver.adopt = ({ sandboxes }) =>
    Promise.resolve({
      running: sandboxes.map((spec) => driver.processes(spec.id)),
      stopped: [],
      lost: [],
    });
  engine = new Engine({ state, driver });
  await engine.recover();
  expect(networkOf(id)).toEqual({ egress: 'none' });
  await expect(create(all)).rejects.toMatchObject({ code: 'network_beyond_bound' });
  await set({});
  expect((await create(all)).network).toEqual(all);
  expect(state.namespaceNetworks.all()).toEqual([]);
});

test('holders of keys see the networks of their namespaces, and set none', async () => {
  await set({ max_egress: 'allowlist', default: listed });
  const settings = { namespace: 'team', max_egress: 'allowlist', default: listed };
  expect(engine.networks.get(tenant, team)).toEqual(settings);
  const other = namespaceSchema.parse('other');
  expect(() => engine.networks.get(tenant, other)).toThrow(/may not use the namespace/);
  expect(engine.networks.get(administrator, other)).toEqual({
    namespace: 'other',
    max_egress: 'all',
  });
  await expect(engine.networks.set(tenant, team, {})).rejects.toMatchObject({ code: 'forbidden' });
});

test('a sandbox out of a snapshot has the network of the one that it was made of', async () => {
  const inside: Network = { egress: 'allowlist', allow: ['10.0.0.0/8'] };
  const { id } = await create(inside, administrator);
  const { id: from_snapshot } = await engine.snapshots.create(tenant, id, {});
  const copy = (principal: Principal, network?: Network) =>
    engine.sandboxes.create(principal, { from_snapshot, ...(network && { network }) });
  expect((await copy(administrator)).network).toEqual(inside);
  // What an administrator opened for one sandbox is not opened for others.
  await expect(copy(tenant)).rejects.toMatchObject({ code: 'forbidden' });
  expect((await copy(tenant, listed)).network).toEqual(listed);
  await set({ default: all });
  const { id: plain } = await create({ egress: 'none' });
  const { id: other } = await engine.snapshots.create(tenant, plain, {});
  const made = await engine.sandboxes.create(tenant, { from_snapshot: other });
  expect(made.network).toEqual({ egress: 'none' });
});
