import { defaultNamespace } from '@sandport/engine';
import {
  type Namespace,
  namespaceSchema,
  type VolumeName,
  volumeNameSchema,
} from '@sandport/protocol';
import { z } from 'zod';
import type { Exchange } from '../http/exchange.ts';
import { check } from '../http/read-json.ts';

const volumeSchema = z.object({
  namespace: namespaceSchema.default(defaultNamespace),
  name: volumeNameSchema,
});

/** The volume that the route names, in the namespace of the query. @throws SandportFault `invalid_request` */
export const volumeOf = (exchange: Exchange): { namespace: Namespace; name: VolumeName } =>
  check(volumeSchema, {
    namespace: exchange.query.get('namespace'),
    name: exchange.param('name'),
  });
