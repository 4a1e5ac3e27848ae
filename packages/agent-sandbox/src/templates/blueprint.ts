import type { KubeObject } from '@sandport/kube-api';
import type { TemplateNetworkPolicy } from './network/policy-types.ts';

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: Readonly<Record<string, unknown>> & {
    readonly fieldRef?: { readonly fieldPath?: string };
  };
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath?: string;
  readonly readOnly?: boolean;
  readonly subPath?: string;
  readonly subPathExpr?: string;
}

export type Quantities = Readonly<Record<string, string | number>>;

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly EnvVar[];
  readonly resources?: { readonly limits?: Quantities; readonly requests?: Quantities };
  readonly securityContext?: Readonly<Record<string, unknown>> & { readonly runAsUser?: number };
  readonly volumeMounts?: readonly VolumeMount[];
  readonly workingDir?: string;
  readonly [field: string]: unknown;
}

export interface PodVolume {
  readonly name: string;
  readonly emptyDir?: { readonly medium?: string };
  readonly persistentVolumeClaim?: { readonly claimName?: string; readonly readOnly?: boolean };
  readonly [source: string]: unknown;
}

export interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly PodVolume[];
  readonly runtimeClassName?: string;
  readonly securityContext?: { readonly runAsUser?: number };
  readonly [field: string]: unknown;
}

export interface PodMetadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface PodTemplate {
  readonly metadata?: PodMetadata;
  readonly spec?: PodSpec;
}

export interface VolumeClaimTemplate {
  readonly metadata?: PodMetadata & { readonly name?: string };
  readonly spec?: {
    readonly accessModes?: readonly string[];
    readonly resources?: { readonly limits?: Quantities; readonly requests?: Quantities };
    readonly [field: string]: unknown;
  };
}

/** What sandboxes are made of: the part that a SandboxTemplate and a Sandbox have in common. */
export interface Blueprint {
  readonly podTemplate?: PodTemplate;
  readonly volumeClaimTemplates?: readonly VolumeClaimTemplate[];
  readonly service?: boolean;
}

export interface SandboxSpecification extends Blueprint {
  readonly operatingMode?: 'Running' | 'Suspended';
  readonly shutdownTime?: string;
  readonly shutdownPolicy?: 'Delete' | 'Retain';
}

type InjectionPolicy = 'Disallowed' | 'Allowed' | 'Overrides';

export interface TemplateSpecification extends Blueprint {
  readonly envVarsInjectionPolicy?: InjectionPolicy;
  readonly volumeClaimTemplatesPolicy?: InjectionPolicy;
  readonly networkPolicy?: TemplateNetworkPolicy;
  /** @default 'Managed' */
  readonly networkPolicyManagement?: 'Managed' | 'Unmanaged';
}

export interface ClaimSpecification {
  readonly warmPoolRef?: { readonly name?: string };
  readonly additionalPodMetadata?: PodMetadata;
  readonly env?: readonly {
    readonly name: string;
    readonly value: string;
    readonly containerName?: string;
  }[];
  readonly volumeClaimTemplates?: readonly VolumeClaimTemplate[];
  readonly lifecycle?: {
    readonly shutdownTime?: string;
    readonly shutdownPolicy?: 'Delete' | 'DeleteForeground' | 'Retain';
    readonly ttlSecondsAfterFinished?: number;
  };
}

export interface WarmPoolSpecification {
  readonly replicas?: number;
  readonly sandboxTemplateRef?: { readonly name?: string };
}

/** The specification of an object, which the schema of its kind has checked. */
export const sandboxSpec = ({ spec = {} }: KubeObject): SandboxSpecification =>
  spec as SandboxSpecification;
export const templateSpec = ({ spec = {} }: KubeObject): TemplateSpecification =>
  spec as TemplateSpecification;
export const claimSpec = ({ spec = {} }: KubeObject): ClaimSpecification =>
  spec as ClaimSpecification;
export const warmPoolSpec = ({ spec = {} }: KubeObject): WarmPoolSpecification =>
  spec as WarmPoolSpecification;
