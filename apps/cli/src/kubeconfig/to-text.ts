import { stringify } from 'yaml';

/** YAML whose long values stay on one line. */
export const toText = (value: unknown): string => stringify(value, { lineWidth: 0 });
