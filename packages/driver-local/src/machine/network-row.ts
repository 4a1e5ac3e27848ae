import { isForwarding, missingPrograms } from '../network/machine.ts';
import type { MachineRow } from './report.ts';

const name = 'networks';

/** Whether sandboxes can have networks, and what the first one changes on the machine. */
export function networkRow(): MachineRow {
  const missing = missingPrograms();
  if (missing.length > 0)
    return {
      name,
      status: 'degraded',
      detail: `${missing.join(' and ')} not installed`,
      cost: 'sandboxes have no network but loopback',
      fix: `apt-get install ${missing.join(' ')}`,
    };
  return {
    name,
    status: 'ok',
    detail: isForwarding()
      ? 'tools are there; net.ipv4.ip_forward is on'
      : 'tools are there; the first sandbox with a network turns on net.ipv4.ip_forward',
  };
}
