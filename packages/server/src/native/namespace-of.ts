import { type Namespace, namespaceSchema } from '@sandport/protocol';
import { z } from 'zod';
import type { Exchange } from '../http/exchange.ts';
import { check } from '../http/read-json.ts';

const paramSchema = z.object({ namespace: namespaceSchema });

/** The namespace that the path names. @throws SandportFault `invalid_request` */
export const namespaceOf = (exchange: Exchange): Namespace =>
  check(paramSchema, { namespace: exchange.param('namespace') }).namespace;
