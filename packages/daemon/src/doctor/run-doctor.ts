import { type MachineReport, type MachineRow, probeMachine } from '@sandport/driver-local';
import { ConfigError } from '../config/config-error.ts';
import { type DaemonConfig, type DaemonFlags, resolveConfig } from '../config/resolve.ts';
import { portRow } from './port-row.ts';
import { printReport } from './print-report.ts';

export interface DoctorOptions {
  /** Print the report as JSON. @default false */
  readonly json?: boolean;
}

/**
 * Tells what this machine can do.
 * @returns the exit code: 0, or 1 when no sandbox can run here
 */
export async function runDoctor(flags: DaemonFlags, options: DoctorOptions = {}): Promise<number> {
  try {
    const config = await resolveConfig(flags, process.env);
    const machine = await probeMachine({ dataDir: config.dataDir });
    const report: MachineReport = {
      ...machine,
      rows: [...machine.rows, ...(await portRows(config))],
    };
    process.stdout.write(
      options.json === true ? `${JSON.stringify(report, null, 2)}\n` : printReport(report),
    );
    return report.isolations.length > 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`sandport: ${error.message}\n`);
    return 1;
  }
}

/** Of the ports that the daemon listens on. */
async function portRows({ host, port, kubernetes }: DaemonConfig): Promise<MachineRow[]> {
  const api = await portRow({
    host,
    port,
    cost: 'the daemon may be running already; a second one needs another port',
    fix: 'sandport serve --listen 127.0.0.1:0',
  });
  if (kubernetes === undefined) return [api];
  const clients = await portRow({
    host: kubernetes.host,
    port: kubernetes.port,
    cost: 'the daemon may be running already; one that starts now serves no clients of Kubernetes',
    fix: 'sandport serve --kubernetes-listen 127.0.0.1:0',
  });
  return [api, clients];
}
