import { KubeError } from '../../objects/kube-error.ts';
import type { RemoveOptions } from '../../store/object-store.ts';
import { flag, isDryRun, oneOf, text } from '../requests/query.ts';

type Fields = Readonly<Record<string, unknown>>;

const propagations = ['Background', 'Foreground', 'Orphan'] as const;

/**
 * How a DELETE is meant, by its body (a `DeleteOptions`) and its query.
 * @throws KubeError `BadRequest`
 */
export function deleteOptionsOf(query: URLSearchParams, body: unknown): RemoveOptions {
  if (body !== undefined && !isFields(body)) throw wrong('DeleteOptions', 'it is no object');
  const fields: Fields = body ?? {};
  const { kind = 'DeleteOptions', preconditions = {}, dryRun = [] } = fields;
  if (kind !== 'DeleteOptions') throw wrong('kind', 'DeleteOptions is expected');
  if (!isFields(preconditions)) throw wrong('preconditions', 'it is no object');
  if (!Array.isArray(dryRun)) throw wrong('dryRun', 'it is no list');
  const dryRuns = [
    ...query.getAll('dryRun'),
    ...dryRun.map((each) => textOf('dryRun', each) ?? ''),
  ];
  return {
    uid: textOf('preconditions.uid', preconditions['uid']),
    resourceVersion: textOf('preconditions.resourceVersion', preconditions['resourceVersion']),
    propagation: propagationOf(query, fields),
    dryRun: isDryRun(dryRuns),
  };
}

function propagationOf(query: URLSearchParams, fields: Fields): RemoveOptions['propagation'] {
  const asked =
    textOf('propagationPolicy', fields['propagationPolicy']) ?? text(query, 'propagationPolicy');
  const orphan = fields['orphanDependents'] ?? flag(query, 'orphanDependents');
  if (asked === undefined) return orphan === true ? 'Orphan' : 'Background';
  return oneOf(
    new URLSearchParams({ propagationPolicy: asked }),
    'propagationPolicy',
    propagations,
  );
}

function textOf(field: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw wrong(field, 'it is no text');
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const wrong = (field: string, why: string): KubeError =>
  new KubeError('BadRequest', `DeleteOptions: ${field}: ${why}`);
