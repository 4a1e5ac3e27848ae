import type { FileInfo } from 'sandport';
import { wireJson } from './wire-json.ts';

/** An entry as the API spells it. */
export const entryJson = (entry: FileInfo): unknown =>
  wireJson({ ...entry, isDirectory: undefined });
