import { z } from 'zod';
import { type NetworkRule, NetworkRuleError, parseNetworkRule, ruleText } from './rule.ts';

/** What a sandbox may reach. */
export const egressSchema = z.enum(['none', 'allowlist', 'all']);
export type Egress = z.infer<typeof egressSchema>;

/** Most entries of one `allow`. */
export const maxNetworkRules = 100;

const ruleSchema = z
  .string()
  .min(1)
  .max(300)
  .superRefine((text, context) => {
    try {
      parseNetworkRule(text);
    } catch (error) {
      if (!(error instanceof NetworkRuleError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

/** Entries of an `allow`: each is a rule, and none opens what another one opens by the same words. */
export const networkRulesSchema = z
  .array(ruleSchema)
  .max(
    maxNetworkRules,
    `has more than ${maxNetworkRules} rules: name all hosts of a domain at once, as "*.example.com"`,
  )
  .superRefine((texts, context) => {
    const seen = new Map<string, string>();
    for (const [at, text] of texts.entries()) {
      const rule = readRule(text);
      if (rule === undefined) continue;
      const other = seen.get(ruleText(rule));
      if (other !== undefined)
        context.addIssue({
          code: 'custom',
          path: [at],
          message: `the rule ${JSON.stringify(text)} is there already, as ${JSON.stringify(other)}`,
        });
      seen.set(ruleText(rule), text);
    }
  });

/** The network of a sandbox. */
export const networkSchema = z
  .strictObject({
    egress: egressSchema.describe(
      '`none`: nothing but loopback; `allowlist`: what `allow` names; `all`: the public internet, and addresses of `allow`.',
    ),
    allow: networkRulesSchema
      .optional()
      .describe(
        'Names (`example.com`, `*.example.com`), IPv4 addresses and networks (`10.1.2.0/24`), each also with a port (`example.com:443`), or a port of all public addresses (`*:443`). Ports of addresses can be of one protocol (`*:53/udp`). Private networks need a key for all namespaces.',
      ),
    bandwidth_mbps: z
      .number()
      .min(0.1)
      .max(100_000)
      .optional()
      .describe('Most megabits a second, in each direction; left out: no limit.'),
  })
  .superRefine(({ egress, allow = [], bandwidth_mbps: bandwidth }, context) => {
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (egress === 'none' && allow.length > 0)
      refuse('allow', 'has no meaning with egress "none"; use "allowlist"');
    if (egress === 'none' && bandwidth !== undefined)
      refuse('bandwidth_mbps', 'has no meaning with egress "none"');
    if (egress === 'allowlist' && allow.length === 0)
      refuse('allow', 'is empty, so nothing can be reached; use egress "none" for that');
    const open = allow.find((text) => (readRule(text)?.kind ?? 'addresses') !== 'addresses');
    if (egress === 'all' && open !== undefined)
      refuse(
        'allow',
        `has ${JSON.stringify(open)}, which egress "all" opens anyway; use "allowlist"`,
      );
  });
export type Network = z.infer<typeof networkSchema>;

/** What a network opens, as `GET` shows it. */
export const networkPolicySchema = z.object({
  egress: egressSchema,
  allow: z.array(z.string()).optional(),
  bandwidth_mbps: z.number().optional(),
});

/** The network of a sandbox as `GET` shows it. */
export const networkObjectSchema = networkPolicySchema.extend({
  pending: z
    .boolean()
    .optional()
    .describe('True: it comes with the next start of the sandbox, as a wake; until then none.'),
});
export type NetworkObject = z.infer<typeof networkObjectSchema>;

function readRule(text: string): NetworkRule | undefined {
  try {
    return parseNetworkRule(text);
  } catch {
    return undefined;
  }
}
