export { createLocalDriver } from './create-local-driver.ts';
export type { LocalDriverOptions, Log, LogLevel } from './options.ts';
export { probeMachine, type ProbeMachineOptions } from './machine/probe-machine.ts';
export type { MachineReport, MachineRow } from './machine/report.ts';
