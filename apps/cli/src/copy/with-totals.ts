import type { DiskUsage, OnProgress } from 'sandport';

/** A transfer that takes longer is worth asking how much there is. */
const patienceMs = 1000;

/**
 * Adds to the progress of a directory how much there is in all, once that is known. It is asked for
 * aside of a transfer that takes a while; when that fails, the total stays unknown.
 */
export function withTotals(
  onProgress: OnProgress | undefined,
  measure: () => Promise<DiskUsage>,
): OnProgress | undefined {
  if (onProgress === undefined) return undefined;
  const begun = performance.now();
  let asked = false;
  let totals: { totalBytes: number; totalFiles: number } | undefined;
  return (progress) => {
    if (!asked && performance.now() - begun > patienceMs) {
      asked = true;
      measure().then(
        ({ sizeBytes, files }) => {
          totals = { totalBytes: sizeBytes, totalFiles: files };
        },
        () => {},
      );
    }
    onProgress({ ...progress, ...totals });
  };
}
