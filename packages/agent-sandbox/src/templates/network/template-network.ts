import type { KubeObject, ObjectStore } from '@sandport/kube-api';
import type { Network } from '@sandport/protocol';
import { keys } from '../../resources/keys.ts';
import { annotations } from '../../resources/labels.ts';
import { type TemplateSpecification, templateSpec } from '../blueprint.ts';
import { mapPolicy } from './map-policy.ts';

/**
 * The network that a template gives its sandboxes; undefined when it says nothing of that, and what
 * their namespace says counts.
 * @param mayOpenPrivate an administrator wrote it
 */
export function networkOfTemplate(
  { networkPolicy, networkPolicyManagement = 'Managed' }: TemplateSpecification,
  mayOpenPrivate: boolean,
): Network | undefined {
  if (networkPolicy === undefined || networkPolicyManagement !== 'Managed') return undefined;
  return mapPolicy(networkPolicy, { mayOpenPrivate }).network;
}

/** The network that the template of a Sandbox gives it. */
export function networkOfSandbox(store: ObjectStore, sandbox: KubeObject): Network | undefined {
  const { namespace = '' } = sandbox.metadata;
  const template = store.get(keys.templates, namespace, templateNameOf(sandbox) ?? '');
  if (template === undefined) return undefined;
  const mayOpenPrivate = isOfAdministrator(template.metadata.annotations);
  return networkOfTemplate(templateSpec(template), mayOpenPrivate);
}

/** Name of the template that a Sandbox was made after. */
export const templateNameOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.annotations?.[annotations.templateRef];

/** Whether a key that is bound to no namespace has written an object, by its marks. */
export const isOfAdministrator = (marks: Readonly<Record<string, string>> = {}): boolean =>
  marks[annotations.mayBuild] === 'true';

/** Whether sandboxes with it have an interface; undefined: nobody has said. */
export const isOpen = (network: Network | undefined): boolean | undefined =>
  network && network.egress !== 'none';
