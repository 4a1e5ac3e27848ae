import { managerName } from '../../managed-fields/manager-name.ts';
import type { FieldValidation } from '../../schema/complete-object.ts';
import type { Exchange } from '../requests/exchange.ts';
import { isDryRun, oneOf, text } from '../requests/query.ts';

/** What a write's query says. */
export interface WriteRequest {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Under whose name the fields are kept. */
  readonly manager: string;
}

/** @throws KubeError `BadRequest`, `Invalid` */
export function writeRequestOf({ query, request }: Exchange): WriteRequest {
  return {
    dryRun: isDryRun(query.getAll('dryRun')),
    fieldValidation: oneOf(query, 'fieldValidation', ['Strict', 'Warn', 'Ignore']) ?? 'Warn',
    manager: managerName(text(query, 'fieldManager'), request.headers['user-agent']),
  };
}
