import type { TimeSlice } from '../../time-slice.ts';

const RUN_LENGTH = 2048;

/** Sorts strings by code unit with turns for the event loop: merge sort over short sorted runs. */
export async function sortInSlices<Text extends string>(
  items: readonly Text[],
  slice: TimeSlice,
): Promise<Text[]> {
  let runs: Text[][] = [];
  for (let start = 0; start < items.length; start += RUN_LENGTH) {
    runs.push(items.slice(start, start + RUN_LENGTH).sort(compare));
    if (slice.isOver) await slice.yield();
  }
  while (runs.length > 1) {
    const merged: Text[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(await merge(runs[index] ?? [], runs[index + 1] ?? [], slice));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

async function merge<Text extends string>(
  left: readonly Text[],
  right: readonly Text[],
  slice: TimeSlice,
): Promise<Text[]> {
  const merged: Text[] = [];
  let rightIndex = 0;
  for (const [leftIndex, item] of left.entries()) {
    for (;;) {
      const other = right[rightIndex];
      if (other === undefined || other >= item) break;
      merged.push(other);
      rightIndex++;
    }
    merged.push(item);
    if (leftIndex % RUN_LENGTH === 0 && slice.isOver) await slice.yield();
  }
  for (; rightIndex < right.length; rightIndex++) {
    const other = right[rightIndex];
    if (other !== undefined) merged.push(other);
  }
  return merged;
}
