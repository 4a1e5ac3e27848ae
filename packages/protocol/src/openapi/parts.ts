import { z } from 'zod';
import type { ErrorCode } from '../error-table.ts';
import type { Body, Parameter } from './operation.ts';

export const json = (name: string, schema: z.ZodType): Body => ({ kind: 'json', name, schema });
/** An array of a schema. */
export const arrayOf = (name: string, schema: z.ZodType): Body =>
  json(`${name}List`, z.array(schema));

export const query = (
  name: string,
  description: string,
  extra: Partial<Parameter> = {},
): Parameter => ({
  name,
  in: 'query',
  description,
  ...extra,
});
export const header = (name: string, description: string): Parameter => ({
  name,
  in: 'header',
  description,
});

export const path = query('path', 'Absolute path in the sandbox, percent-encoded UTF-8.', {
  required: true,
});
export const flag = (name: string, description: string): Parameter =>
  query(name, description, { schema: { type: 'boolean' } });
export const wantDigest = header(
  'Want-Repr-Digest',
  '`sha-256=1` asks for the SHA-256 (RFC 9530).',
);

export const pathErrors: readonly ErrorCode[] = [
  'invalid_path',
  'symlink_loop',
  'sandbox_not_found',
  'file_not_found',
  'not_a_directory',
  'not_a_regular_file',
  'permission_denied',
  'invalid_state',
];
export const writeErrors: readonly ErrorCode[] = [...pathErrors, 'read_only', 'disk_full'];
