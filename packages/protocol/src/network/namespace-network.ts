import { z } from 'zod';
import { namespaceSchema } from '../ids.ts';
import { beyondBound } from './bound.ts';
import { egressSchema, networkPolicySchema, networkRulesSchema, networkSchema } from './network.ts';

/** Body of `PUT /v1/namespaces/{namespace}/network`. What is left out is taken away. */
export const setNamespaceNetworkSchema = z
  .strictObject({
    max_egress: egressSchema
      .optional()
      .describe('Most that a sandbox may have, whoever asks. Left out: `all`.'),
    max_allow: networkRulesSchema
      .optional()
      .describe(
        'With `max_egress` `allowlist`: rules of sandboxes may open no more than these. Left out: any rule.',
      ),
    default: networkSchema
      .optional()
      .describe('Of sandboxes that ask for none, and whose template has none. Left out: none.'),
  })
  .superRefine(({ max_egress: egress = 'all', max_allow: allow, default: network }, context) => {
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (allow !== undefined && egress !== 'allowlist')
      return refuse('max_allow', 'has a meaning with max_egress "allowlist" only');
    if (allow?.length === 0)
      return refuse('max_allow', 'is empty, so nothing may be opened; use max_egress "none"');
    const beyond = network && beyondBound(network, { egress, allow });
    if (beyond !== undefined) refuse('default', `has ${beyond}, which is beyond the bound`);
  });
export type SetNamespaceNetwork = z.infer<typeof setNamespaceNetworkSchema>;

/** The networks of a namespace as `GET` shows them. */
export const namespaceNetworkSchema = z.object({
  namespace: namespaceSchema,
  max_egress: egressSchema,
  max_allow: z.array(z.string()).optional(),
  default: networkPolicySchema.optional(),
});
export type NamespaceNetwork = z.infer<typeof namespaceNetworkSchema>;
