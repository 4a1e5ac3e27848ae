/** Value below which the given share of the numbers lies; nearest rank. At least one number. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const rank = Math.max(0, Math.ceil(share * sorted.length) - 1);
  const value = sorted[rank];
  if (value === undefined) throw new RangeError('percentile of no numbers');
  return value;
}

export const median = (numbers: readonly number[]): number => percentile(numbers, 0.5);

/** Milliseconds that the work takes. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** A thing to measure; `run` gives its value for one round. */
export interface Contender {
  readonly name: string;
  run(): Promise<number>;
}

/**
 * Measures contenders in turns, so that whatever the machine does meanwhile hits all of them, and
 * in alternating order, so that none always comes first. Resolves to the values by name.
 */
export async function interleave(
  contenders: readonly Contender[],
  options: { warmUps: number; rounds: number },
): Promise<Map<string, number[]>> {
  const values = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = -options.warmUps; round < options.rounds; round += 1) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) {
      const value = await contender.run();
      if (round >= 0) values.get(contender.name)?.push(value);
    }
  }
  return values;
}

/** Median of one contender's values. */
export function medianOf(values: ReadonlyMap<string, readonly number[]>, name: string): number {
  return median(values.get(name) ?? []);
}
