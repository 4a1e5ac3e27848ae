export { ConfigError } from './config/config-error.ts';
export {
  type DaemonOption,
  daemonOptions,
  defaultConfigFile,
  environmentName,
} from './config/options.ts';
export { type DaemonConfig, type DaemonFlags, resolveConfig } from './config/resolve.ts';
export { type Daemon, startDaemon } from './daemon.ts';
export { type DoctorOptions, runDoctor } from './doctor/run-doctor.ts';
export { runServe } from './serve.ts';
export { version } from './version.ts';
