import { readFileSync } from 'node:fs';

/** What this process may give to the sandboxes it starts. */
export interface Privileges {
  /** Whether it may protect processes from the kernel's out-of-memory killer. */
  readonly lowerOomScore: boolean;
  /** Most descriptors that a process of a sandbox can be allowed. */
  readonly openFiles: number;
}

const capSysResource = 24n;
const wantedOpenFiles = 65_536;

export function readPrivileges(): Privileges {
  const capable = hasCapability(capSysResource);
  return {
    lowerOomScore: capable,
    openFiles: capable ? wantedOpenFiles : Math.min(wantedOpenFiles, ownOpenFilesLimit()),
  };
}

function hasCapability(bit: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
}

function ownOpenFilesLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(read('/proc/self/limits'))?.[1];
  return hard === undefined ? wantedOpenFiles : Number(hard);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
