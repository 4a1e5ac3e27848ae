import type { Isolation } from 'sandport';
import type { Measurement } from '../report.ts';
import type { ClientName } from './job.ts';

/** One workload with one client on one isolation. */
export interface FileMeasurement extends Measurement {
  readonly workload: string;
  /** `again`: a sync of what is there already; its floor is the first upload. */
  readonly direction: 'up' | 'down' | 'again' | 'list';
  readonly client: ClientName;
  readonly isolation: Isolation;
  /** Most memory that the client's process had, in MiB. */
  readonly clientPeakRssMib?: number | undefined;
  /** Most memory that the daemon had meanwhile, in MiB. */
  readonly daemonPeakRssMib?: number | undefined;
}

/** Narrows to the measurements of the `files` row. */
export const isFileMeasurement = (m: Measurement): m is FileMeasurement => 'workload' in m;

export const directionWords: Readonly<Record<FileMeasurement['direction'], string>> = {
  up: 'up',
  down: 'down',
  again: 'again, unchanged',
  list: 'listed',
};
