import type { Schema } from '../http/transport.ts';

export interface VersionInfo {
  readonly version: string;
}

export const versionSchema: Schema<VersionInfo> = {
  parse(value) {
    const version: unknown =
      typeof value === 'object' && value !== null ? Reflect.get(value, 'version') : undefined;
    if (typeof version !== 'string') throw new TypeError('`version` is missing');
    return { version };
  },
};
