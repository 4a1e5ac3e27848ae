/** Milliseconds to a time; infinite without one. */
export const msUntil = (time: string | undefined): number =>
  time === undefined ? Number.POSITIVE_INFINITY : Date.parse(time) - Date.now();
