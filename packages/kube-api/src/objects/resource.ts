import type { Caller } from '../http/caller.ts';
import type { KubeObject } from './kube-object.ts';

export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection';

export const allVerbs: readonly Verb[] = [
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
];

/** A structural OpenAPI v3 schema, as CRDs hold it. */
export type Schema = Readonly<Record<string, unknown>>;

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** As `.status.conditions[?(@.type=='Ready')].status`. */
  readonly jsonPath: string;
  readonly format?: string;
  readonly description?: string;
  /** Columns above 0 are shown with `-o wide` only. @default 0 */
  readonly priority?: number;
  /** What the column shows, where `jsonPath` cannot say it. Gets objects of the column's version. */
  readonly cell?: (object: KubeObject) => string | number | boolean | null;
}

/**
 * Judges a value by one rule of `x-kubernetes-validations`. `before` is the value that is to be
 * replaced; undefined for a new one. Undefined: it is kept; a text: what is wrong, empty for the
 * message of the rule.
 */
export type SchemaRule = (value: unknown, before: unknown) => string | undefined;

/** The `/scale` subresource; paths as `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

export interface ResourceVersion {
  /** As `v1beta1`. */
  readonly name: string;
  readonly schema: Schema;
  readonly columns: readonly PrinterColumn[];
  /** Has a `/status` of its own: writes to the object leave the status alone, and the other way round. */
  readonly hasStatus: boolean;
  readonly scale?: ScalePaths;
  readonly deprecated?: boolean;
  /** Told to whoever uses a deprecated version. */
  readonly deprecationWarning?: string;
}

/** What a change is judged by before it is stored. */
export interface Admission {
  readonly caller: Caller;
  /** Undefined for a new object. */
  readonly before: KubeObject | undefined;
  readonly operation: 'create' | 'update' | 'status' | 'delete';
}

export interface Admitted {
  readonly object: KubeObject;
  /** Go to the client in `Warning` headers, as `299 - "text"`. */
  readonly warnings?: readonly string[];
}

/** A kind of object that the API serves. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  /** The first is the preferred one. */
  readonly versions: readonly ResourceVersion[];
  /** The version in which the store, and the controllers, have the objects. */
  readonly storageVersion: string;
  /** False: derived objects that whoever makes them makes again at each start. */
  readonly persistent: boolean;
  /** What clients may do. Controllers may do everything. */
  readonly verbs: readonly Verb[];
  /** By the text of their rule: the schemas name rules that are code here. */
  readonly rules?: Readonly<Record<string, SchemaRule>>;
  /** Between any two served versions. Left out: there is one version. */
  readonly convert?: (object: KubeObject, version: string) => KubeObject;
  /**
   * Judges and completes an object in its storage version, after schema and defaults.
   * @throws KubeError `Invalid`, `Forbidden`
   */
  readonly admit?: (object: KubeObject, admission: Admission) => Admitted;
  /**
   * Objects that are not in the store, as services that every namespace has. `namespace` undefined:
   * all namespaces. They are listed and got, and shown at the beginning of a watch.
   */
  readonly synthetic?: (namespace: string | undefined) => readonly KubeObject[];
}

/** `sandboxes.agents.x-k8s.io`; of the core group only the plural: `pods`. */
export type ResourceKey = string;

export const resourceKey = ({ group, plural }: Pick<Resource, 'group' | 'plural'>): ResourceKey =>
  group === '' ? plural : `${plural}.${group}`;

/** `agents.x-k8s.io/v1beta1`; of the core group only the version. */
export const groupVersion = (group: string, version: string): string =>
  group === '' ? version : `${group}/${version}`;
