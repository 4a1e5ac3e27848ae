import { readFile } from 'node:fs/promises';

/** Bytes, as the sandbox sees them. */
export interface Traffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** @param device the host's end; what it has sent is what the sandbox has received */
export async function readTraffic(device: string): Promise<Traffic | undefined> {
  const read = async (name: string) =>
    Number(await readFile(`/sys/class/net/${device}/statistics/${name}`, 'utf8'));
  try {
    return { receivedBytes: await read('tx_bytes'), sentBytes: await read('rx_bytes') };
  } catch {
    // The interface has just gone.
    return undefined;
  }
}
