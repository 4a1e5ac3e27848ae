import type { Resources } from '@sandport/protocol';
import type { Container } from './blueprint.ts';
import { parseQuantity } from './quantity.ts';

/** What is wrong with a field of a pod template. */
export interface TemplateFault {
  /** Below the pod's `spec`, as `containers[0].env`. */
  readonly field: string;
  readonly message: string;
  readonly reason: 'FieldValueForbidden' | 'FieldValueInvalid' | 'FieldValueNotSupported';
}

const mib = 2 ** 20;

const known = [
  { name: 'cpu', field: 'cpu', unit: 1, round: (cpu: number) => cpu, range: [0.05, 256] },
  { name: 'memory', field: 'memory_mb', unit: mib, round: Math.ceil, range: [32, 1_048_576] },
  {
    name: 'ephemeral-storage',
    field: 'disk_mb',
    unit: mib,
    round: Math.ceil,
    range: [16, 1_048_576],
  },
] as const;

/** A container's limits in our words; what has no limit takes its request. */
export function resourcesOf({ resources = {} }: Container): {
  readonly resources: Resources;
  readonly faults: readonly TemplateFault[];
} {
  const result: { cpu?: number; memory_mb?: number; disk_mb?: number } = {};
  const faults: TemplateFault[] = [];
  for (const { name, field, unit, round, range } of known) {
    const from = resources.limits?.[name] === undefined ? 'requests' : 'limits';
    const given = resources[from]?.[name];
    if (given === undefined) continue;
    const [least, most] = range;
    const value = parseQuantity(given);
    const amount = value === undefined ? Number.NaN : round(value / unit);
    if (amount <= most && (amount >= least || (from === 'requests' && amount >= 0)))
      result[field] = Math.max(amount, least);
    else
      faults.push({
        field: `resources.${from}.${name}`,
        message: `must be from ${least} to ${most}${unit === 1 ? '' : ' MiB'}`,
        reason: 'FieldValueInvalid',
      });
  }
  return { resources: result, faults };
}
