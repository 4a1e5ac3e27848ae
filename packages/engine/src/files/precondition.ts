import type { WritePrecondition } from '@sandport/driver';

export interface PreconditionFields {
  /** As the field `If-Match`: ETags with commas between, or `*`: something must be there. */
  readonly ifMatch?: string | undefined;
  /** As `If-None-Match`: `*`: nothing may be there. */
  readonly ifNoneMatch?: string | undefined;
}

/** The condition that both fields make together; undefined when there is none. */
export function preconditionOf(fields: PreconditionFields): WritePrecondition | undefined {
  const { ifMatch, ifNoneMatch } = fields;
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  return (etag) =>
    (ifMatch === undefined || names(ifMatch, etag)) &&
    (ifNoneMatch === undefined || !names(ifNoneMatch, etag));
}

/** Whether a field names the ETag. Ours are strong: a weak one in the field is compared as strong. */
function names(field: string, etag: string | undefined): boolean {
  if (etag === undefined) return false;
  return field.split(',').some((part) => {
    const each = part.trim();
    return each === '*' || each.replace(/^W\//, '') === etag;
  });
}
