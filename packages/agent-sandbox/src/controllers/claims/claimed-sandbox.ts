import type { KubeObject } from '@sandport/kube-api';
import { envSchema } from '@sandport/protocol';
import { annotations, labels, volumesFinalizer } from '../../resources/labels.ts';
import {
  type ClaimSpecification,
  type Container,
  claimSpec,
  type EnvVar,
  type SandboxSpecification,
  type TemplateSpecification,
  type VolumeClaimTemplate,
} from '../../templates/blueprint.ts';
import { volumeClaimFault } from '../../templates/volume-claims.ts';
import type { BlueprintSource } from './blueprint-source.ts';
import { mergedPodMetadata, podMetadataFault } from './pod-metadata.ts';

/** Why the claim cannot have what it asks for. */
export interface ClaimFault {
  readonly reason: 'InvalidMetadata' | 'EnvVarsInjectionRejected' | 'VolumeClaimTemplatesError';
  readonly message: string;
}

export type ClaimedSandbox = { readonly sandbox: KubeObject } | { readonly fault: ClaimFault };

/** The Sandbox of a claim: the template's, with what the claim adds as far as the template allows. */
export function claimedSandbox(claim: KubeObject, source: BlueprintSource): ClaimedSandbox {
  const asked = claimSpec(claim);
  const { podTemplate = {}, service } = source.spec;
  const metadataFault = podMetadataFault(asked.additionalPodMetadata ?? {}, podTemplate.metadata);
  if (metadataFault !== undefined) return refuse('InvalidMetadata', metadataFault);
  const [container = { name: 'sandbox' }, ...others] = podTemplate.spec?.containers ?? [];
  const env = injectedEnv(asked, container, source.spec);
  if (typeof env === 'string') return refuse('EnvVarsInjectionRejected', env);
  const claims = mergedClaims(asked, source.spec);
  const claimsFault =
    typeof claims === 'string' ? claims : volumeClaimFault(claims, claim.metadata.name);
  if (typeof claims === 'string' || claimsFault !== undefined)
    return refuse('VolumeClaimTemplatesError', claimsFault ?? '');
  const spec: SandboxSpecification = {
    podTemplate: {
      metadata: mergedPodMetadata(podTemplate.metadata, asked.additionalPodMetadata),
      spec: {
        ...podTemplate.spec,
        containers: [{ ...container, ...(env.length === 0 ? {} : { env }) }, ...others],
      },
    },
    operatingMode: 'Running',
    shutdownPolicy: 'Retain',
    ...(claims.length === 0 ? {} : { volumeClaimTemplates: claims }),
    ...(service === undefined ? {} : { service }),
  };
  return { sandbox: sandboxObject(claim, source, spec) };
}

const refuse = (reason: ClaimFault['reason'], message: string): ClaimedSandbox => ({
  fault: { reason, message },
});

function sandboxObject(
  { apiVersion, kind, metadata }: KubeObject,
  source: BlueprintSource,
  spec: SandboxSpecification,
): KubeObject {
  const { name, namespace = '', uid = '' } = metadata;
  const trace = metadata.annotations?.[annotations.traceContext];
  return {
    apiVersion: 'agents.x-k8s.io/v1beta1',
    kind: 'Sandbox',
    metadata: {
      name,
      namespace,
      labels: { [labels.claimUid]: uid },
      annotations: {
        ...source.annotations,
        [annotations.templateRef]: source.template,
        [annotations.podName]: name,
        ...(trace === undefined ? {} : { [annotations.traceContext]: trace }),
      },
      ownerReferences: [
        { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true },
      ],
      ...(spec.volumeClaimTemplates === undefined ? {} : { finalizers: [volumesFinalizer] }),
    },
    spec: { ...spec },
  };
}

/** The variables of the container, or why the claim may not set its own. */
function injectedEnv(
  { env: asked = [] }: ClaimSpecification,
  { name: container, env = [] }: Container,
  { envVarsInjectionPolicy: policy = 'Disallowed' }: TemplateSpecification,
): readonly EnvVar[] | string {
  if (asked.length === 0) return env;
  if (policy === 'Disallowed') return 'The template does not allow claims to set variables';
  const merged = new Map(env.map((each) => [each.name, each]));
  for (const { name, value, containerName = container } of asked) {
    if (containerName !== container)
      return `There is no container "${containerName}" for the variable "${name}"`;
    if (!envSchema.safeParse({ [name]: value }).success)
      return `"${name}" is no valid variable: its name must be of letters, digits and _, its value without NUL`;
    if (policy === 'Allowed' && env.some((each) => each.name === name))
      return `The template does not allow claims to change its variable "${name}"`;
    merged.set(name, { name, value });
  }
  return [...merged.values()];
}

/** The volumes of the template and of the claim, or why the claim may not have its own. */
function mergedClaims(
  { volumeClaimTemplates: asked = [] }: ClaimSpecification,
  { volumeClaimTemplates: given = [], volumeClaimTemplatesPolicy: policy }: TemplateSpecification,
): readonly VolumeClaimTemplate[] | string {
  if (asked.length === 0) return given;
  if (policy === undefined || policy === 'Disallowed')
    return 'The template does not allow claims to have volumes of their own';
  const nameOf = ({ metadata }: VolumeClaimTemplate): string => metadata?.name ?? '';
  const names = new Set(given.map(nameOf));
  const taken = asked.map(nameOf).find((name) => names.has(name));
  if (policy === 'Allowed' && taken !== undefined)
    return `The template does not allow claims to change its volume "${taken}"`;
  return [
    ...given.map((each) => asked.find((other) => nameOf(other) === nameOf(each)) ?? each),
    ...asked.filter((each) => !names.has(nameOf(each))),
  ];
}
