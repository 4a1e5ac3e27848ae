import { type FieldCause, KubeError } from '../objects/kube-error.ts';
import type { Resource } from '../objects/resource.ts';
import type { Taken } from './change-owners.ts';
import { pathTexts } from './field-set.ts';
import type { Manager } from './managers.ts';

/** More conflicts are not told. */
const maxConflicts = 100;

/** The error of an apply that wants fields of others. */
export function conflictError(
  { group, plural }: Resource,
  name: string,
  taken: readonly Taken[],
): KubeError {
  const causes = taken
    .flatMap(({ from, fields }) =>
      pathTexts(fields, maxConflicts).map(
        (field): FieldCause => ({
          reason: 'FieldManagerConflict',
          message: `conflict with ${managerText(from)}`,
          field,
        }),
      ),
    )
    .slice(0, maxConflicts);
  const [first] = causes;
  const what =
    causes.length === 1 && first !== undefined
      ? `1 conflict: ${first.message}: ${first.field}`
      : `${causes.length} conflicts: ${listed(taken)}`;
  return new KubeError('Conflict', `Apply failed with ${what}`, {
    name,
    group,
    kind: plural,
    causes,
  });
}

const listed = (taken: readonly Taken[]): string =>
  taken
    .map(({ from, fields }) =>
      [
        `conflicts with ${managerText(from)}:`,
        ...pathTexts(fields, maxConflicts).map((path) => `- ${path}`),
      ].join('\n'),
    )
    .join('\n');

function managerText({ manager, operation, apiVersion, subresource, time }: Manager): string {
  const by = subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  const at = operation === 'Update' && time !== undefined ? ` at ${time}` : '';
  return `${JSON.stringify(manager)}${by} using ${apiVersion}${at}`;
}
