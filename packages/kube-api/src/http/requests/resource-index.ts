import { KubeError } from '../../objects/kube-error.ts';
import {
  type Resource,
  type ResourceKey,
  type ResourceVersion,
  resourceKey,
} from '../../objects/resource.ts';

/** A version of a resource, as paths name it. */
export interface ServedResource {
  readonly resource: Resource;
  readonly key: ResourceKey;
  readonly version: ResourceVersion;
}

/** What a path of a resource leads to. */
export interface ResourceTarget extends ServedResource {
  /** Undefined: of all namespaces, or the resource has none. */
  readonly namespace: string | undefined;
  /** Undefined: the collection. */
  readonly name: string | undefined;
  /** As `status`. */
  readonly subresource: string | undefined;
}

const maxSegmentLength = 253;

/** Finds resources by their paths. */
export class ResourceIndex {
  readonly #served = new Map<string, ServedResource>();

  constructor(resources: readonly Resource[]) {
    for (const resource of resources) {
      for (const version of resource.versions) {
        const path = servedPath(resource.group, version.name, resource.plural);
        this.#served.set(path, { resource, key: resourceKey(resource), version });
      }
    }
  }

  /**
   * What a path as `/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME` leads to.
   * @throws KubeError `NotFound`
   */
  find(path: string): ResourceTarget {
    const [root, ...rest] = segmentsOf(path);
    const group = root === 'api' ? '' : root === 'apis' ? rest.shift() : undefined;
    const version = rest.shift();
    if (group === undefined || version === undefined || rest.length === 0) throw noSuchPath();
    const isScoped = rest[0] === 'namespaces' && rest.length > 2;
    const scoped = isScoped
      ? this.#served.get(servedPath(group, version, rest[2] ?? ''))
      : undefined;
    if (scoped?.resource.namespaced === true) {
      const [, namespace, , name, subresource, ...more] = rest;
      if (more.length > 0) throw noSuchPath();
      return { ...scoped, namespace, name, subresource };
    }
    const [plural = '', name, subresource, ...more] = rest;
    const served = this.#served.get(servedPath(group, version, plural));
    if (served === undefined || more.length > 0) throw noSuchPath();
    if (served.resource.namespaced && name !== undefined) throw noSuchPath();
    return { ...served, namespace: undefined, name, subresource };
  }
}

export const noSuchPath = (): KubeError =>
  new KubeError('NotFound', 'the server could not find the requested resource');

const servedPath = (group: string, version: string, plural: string) =>
  `${group}/${version}/${plural}`;

function segmentsOf(path: string): string[] {
  const parts = path.split('/');
  if (parts[0] !== '' || parts.length < 3 || parts.length > 10) throw noSuchPath();
  if (parts.at(-1) === '') parts.pop();
  return parts.slice(1).map((part) => {
    const segment = decoded(part);
    if (segment === '' || segment.length > maxSegmentLength || segment.includes('/')) {
      throw noSuchPath();
    }
    return segment;
  });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw noSuchPath();
  }
}
