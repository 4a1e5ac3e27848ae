import type { Caller } from '@sandport/kube-api';
import { opensClosedNetworks, parseNetworkRule } from '@sandport/protocol';
import type { TemplateSpecification } from '../templates/blueprint.ts';
import { mapPolicy } from '../templates/network/map-policy.ts';
import type { Review } from './blueprint-faults.ts';

const field = 'spec.networkPolicy';

/**
 * What of the network policy of a template cannot be, and what will have no effect.
 * @param writer who has changed the specification; undefined: nobody
 */
export function reviewPolicy(spec: TemplateSpecification, writer: Caller | undefined): Review {
  const { networkPolicy, networkPolicyManagement = 'Managed' } = spec;
  if (networkPolicy === undefined) return { causes: [], warnings: [] };
  if (networkPolicyManagement !== 'Managed') {
    const warning = `${field} has no effect: networkPolicyManagement is ${networkPolicyManagement}`;
    return { causes: [], warnings: [warning] };
  }
  const { network, notes, faults } = mapPolicy(networkPolicy, { mayOpenPrivate: true });
  const causes = faults.map((fault) => ({
    field: `${field}.${fault.field}`,
    message: fault.message,
    reason: 'FieldValueInvalid',
  }));
  const inside = network.allow?.find((text) => opensClosedNetworks(parseNetworkRule(text)));
  if (inside !== undefined && writer?.namespaces !== undefined)
    causes.push({
      field: `${field}.egress`,
      message: `Forbidden: ${inside} is of a private network, which takes an API key for all namespaces`,
      reason: 'FieldValueForbidden',
    });
  return { causes, warnings: notes.map((note) => `${field}.${note}`) };
}
