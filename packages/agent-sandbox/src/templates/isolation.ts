import type { Isolation } from '@sandport/protocol';

const runtimeClasses: Readonly<Record<string, Isolation | 'default'>> = {
  gvisor: 'gvisor',
  runsc: 'gvisor',
  runc: 'container',
  container: 'container',
  crun: 'container',
  none: 'default',
  '': 'default',
};

export const knownRuntimeClasses = Object.keys(runtimeClasses).filter((name) => name !== '');

/** The isolation of a runtime class; `default`: the strongest that works; undefined: not known. */
export const isolationOf = (runtimeClass: string | undefined): Isolation | 'default' | undefined =>
  Object.hasOwn(runtimeClasses, runtimeClass ?? '')
    ? runtimeClasses[runtimeClass ?? '']
    : undefined;
