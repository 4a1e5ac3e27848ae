import { describeSchema, type Schema } from '@sandport/kube-api';

/** Texts by the paths of their fields. */
type Descriptions = Readonly<Record<string, string>>;

interface KindDescriptions {
  /** Of fields that all versions have. */
  readonly common: Descriptions;
  readonly v1beta1?: Descriptions;
  readonly v1alpha1?: Descriptions;
}

const conditions: Descriptions = {
  'status.conditions': 'What has been observed; clients wait for the one of type Ready.',
  'status.conditions[].type': 'What it is about, as Ready.',
  'status.conditions[].status': 'True, False or Unknown.',
  'status.conditions[].reason': 'Why, in one word.',
  'status.conditions[].message': 'Why, in a sentence, and what to do about it.',
  'status.conditions[].lastTransitionTime': 'When the status changed.',
  'status.conditions[].observedGeneration': 'Generation of the object that was looked at.',
};

const blueprint: Descriptions = {
  'spec.podTemplate': 'What the sandbox is made of.',
  'spec.podTemplate.metadata': 'Labels and annotations of its pod.',
  'spec.podTemplate.spec':
    'Its container, with image, environment and limits, its runtime class and its volumes. What one machine cannot give is named in a warning; what would hurt if it were left out is refused.',
  'spec.podTemplate.spec.containers': 'The program of the sandbox: one container.',
  'spec.podTemplate.spec.containers[].image':
    'A template of this daemon, or an image of a registry, of which a template is made.',
  'spec.podTemplate.spec.containers[].env': 'Environment variables of every command.',
  'spec.podTemplate.spec.containers[].resources': 'Limits of processor and memory.',
  'spec.podTemplate.spec.runtimeClassName':
    'What isolates it: gvisor, or runc (also: container) for Linux namespaces.',
  'spec.service': 'Whether there is a Service with its name.',
  'spec.volumeClaimTemplates': 'Volumes of its own, which outlive its pod. They cannot be changed.',
};

const lifecycle: Descriptions = {
  'spec.lifecycle': 'When the sandbox ends, and what becomes of the claim then.',
  'spec.lifecycle.shutdownTime': 'When it ends.',
  'spec.lifecycle.shutdownPolicy':
    'Delete and DeleteForeground remove the claim with the sandbox; Retain keeps it, expired.',
  'spec.lifecycle.ttlSecondsAfterFinished': 'How long a claim is kept once its sandbox has ended.',
};

const kinds: Readonly<Record<string, KindDescriptions>> = {
  Sandbox: {
    common: {
      '': 'One isolated environment, with a name, a pod and volumes of its own.',
      spec: 'What the sandbox should be.',
      ...blueprint,
      'spec.shutdownTime': 'When the sandbox ends.',
      'spec.shutdownPolicy': 'Delete removes this object then; Retain keeps it, expired.',
      status: 'What the sandbox is.',
      ...conditions,
      'status.podIPs': 'Its addresses in the pod network.',
      'status.selector': 'Label by which its pod is found.',
      'status.service': 'Name of its Service.',
      'status.serviceFQDN': 'Name under which a cluster would reach its Service.',
    },
    v1beta1: {
      'spec.operatingMode': 'Suspended ends the pod and keeps the volumes; Running makes it anew.',
      'status.nodeName': 'The machine it runs on.',
    },
    v1alpha1: {
      'spec.replicas': '0 ends the pod and keeps the volumes; 1 makes it anew.',
      'status.replicas': 'How many pods there are.',
    },
  },
  SandboxTemplate: {
    common: {
      '': 'What sandboxes are made from.',
      spec: 'How its sandboxes should be.',
      ...blueprint,
      'spec.networkPolicy': 'Has no effect here: sandboxes have no network.',
      'spec.networkPolicyManagement':
        'Has no effect here: there is no network policy to be managed.',
      'spec.envVarsInjectionPolicy': 'Whether claims may bring, or replace, environment variables.',
    },
    v1beta1: {
      'spec.volumeClaimTemplatesPolicy': 'Whether claims may bring, or replace, volumes.',
    },
  },
  SandboxClaim: {
    common: {
      '': 'A request for a sandbox: one from a pool, where there is any, or a new one.',
      spec: 'What is asked for.',
      'spec.additionalPodMetadata': 'Labels and annotations that the pod gets beside its own.',
      'spec.env': 'Environment variables; with them the sandbox is a new one.',
      'spec.env[].containerName': 'The container that it is for.',
      ...lifecycle,
      status: 'What was given.',
      ...conditions,
      'status.sandbox': 'The sandbox that answers the claim.',
      'status.sandbox.name': 'Its name, which is that of its pod.',
      'status.sandbox.podIPs': 'Its addresses in the pod network.',
    },
    v1beta1: {
      'spec.warmPoolRef': 'The pool that it comes from.',
      'spec.warmPoolRef.name':
        'A SandboxWarmPool of the namespace; or a template, of which a new sandbox is made.',
      'spec.volumeClaimTemplates': 'Volumes of its own; with them the sandbox is a new one.',
    },
    v1alpha1: {
      'spec.sandboxTemplateRef': 'The template that it is made from.',
      'spec.sandboxTemplateRef.name':
        'A SandboxTemplate of the namespace, or a template of this daemon.',
      'spec.warmpool': 'none for a new sandbox, default for any pool of the template, or a pool.',
    },
  },
  SandboxWarmPool: {
    common: {
      '': 'Sandboxes that are kept ready for claims.',
      spec: 'What is kept ready.',
      'spec.replicas': 'How many.',
      'spec.sandboxTemplateRef': 'What they are made from.',
      'spec.sandboxTemplateRef.name':
        'A SandboxTemplate of the namespace, or a template of this daemon.',
      'spec.updateStrategy': 'What happens when the template changes.',
      'spec.updateStrategy.type':
        'Has no effect here: those of a template that has changed are always made anew.',
      status: 'What is there.',
      'status.replicas': 'How many there are.',
      'status.readyReplicas': 'How many of them are ready.',
      'status.selector': 'Label by which they are found.',
    },
    v1beta1: { 'status.observedGeneration': 'Generation of the object that was looked at.' },
  },
};

/**
 * The schema of a version, which the definitions have without words, with descriptions.
 * @throws Error when it lacks a field that is described
 */
export function describedSchema(kind: string, version: string, schema: Schema): Schema {
  const { common = {}, ...others } = kinds[kind] ?? {};
  const own: Readonly<Record<string, Descriptions>> = others;
  return describeSchema(schema, { ...common, ...own[version] });
}
