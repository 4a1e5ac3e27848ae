const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** From which length on an age is told in which units, the shortest first. */
const scales: readonly (readonly [
  belowMs: number,
  unitMs: number,
  name: string,
  restMs: number,
  restName: string,
])[] = [
  [2 * minute, second, 's', 0, ''],
  [10 * minute, minute, 'm', second, 's'],
  [3 * hour, minute, 'm', 0, ''],
  [8 * hour, hour, 'h', minute, 'm'],
  [2 * day, hour, 'h', 0, ''],
  [8 * day, day, 'd', hour, 'h'],
  [2 * year, day, 'd', 0, ''],
  [8 * year, year, 'y', day, 'd'],
  [Infinity, year, 'y', 0, ''],
];

/** How long ago a time was, as kubectl prints it: `45s`, `3m20s`, `5d3h`. */
export function ageOf(time: string, at: Date): string {
  const elapsedMs = at.getTime() - Date.parse(time);
  if (Number.isNaN(elapsedMs)) return '<unknown>';
  // A clock that is a little ahead is not worth a word.
  if (elapsedMs < -2 * second) return '<invalid>';
  const ageMs = Math.max(elapsedMs, 0);
  const scale = scales.find(([belowMs]) => ageMs < belowMs);
  if (scale === undefined) return '<unknown>';
  const [, unitMs, name, restMs, restName] = scale;
  const count = Math.floor(ageMs / unitMs);
  const rest = restMs === 0 ? 0 : Math.floor((ageMs % unitMs) / restMs);
  return rest === 0 ? `${count}${name}` : `${count}${name}${rest}${restName}`;
}
