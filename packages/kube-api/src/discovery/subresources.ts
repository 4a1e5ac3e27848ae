import type { Verb } from '../objects/resource.ts';
import type { ServedKind } from './api-groups.ts';

/** Something below an object, as `pods/NAME/exec`. */
export interface Subresource {
  readonly name: string;
  /** Left out: the group and version of the object itself. */
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly Verb[];
}

const podStreams: readonly Subresource[] = [
  { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
  { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
];

const changing: ReadonlySet<Verb> = new Set<Verb>(['get', 'patch', 'update']);

export function subresourcesOf({ resource, version }: ServedKind): readonly Subresource[] {
  const verbs = resource.verbs.filter((verb) => changing.has(verb));
  return [
    ...(resource.group === '' && resource.plural === 'pods' ? podStreams : []),
    ...(version.scale === undefined
      ? []
      : [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs }]),
    ...(version.hasStatus ? [{ name: 'status', kind: resource.kind, verbs }] : []),
  ];
}
