import { exchange } from '../harness/index.ts';

/** Of an address below `localhost`, whose names not every resolver knows. */
export async function statusOf(address: string): Promise<number> {
  const { host, port, pathname, search } = new URL(address);
  const path = pathname + search;
  return (await exchange(`http://127.0.0.1:${port}`, { path, headers: { Host: host } })).status;
}
