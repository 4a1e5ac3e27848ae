import { KubeError } from '../../objects/kube-error.ts';
import type { Resource } from '../../objects/resource.ts';
import type { Caller } from '../caller.ts';
import { grantOf } from './authorize.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a review is answered from. */
export interface ReviewContext {
  readonly resources: readonly Resource[];
  readonly sharedNamespace: string;
  readonly caller: Caller;
}

type Review = (sent: Fields, context: ReviewContext) => Fields;

const reviews: ReadonlyMap<string, Review> = new Map<string, Review>([
  ['/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', accessReview],
  ['/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', rulesReview],
  ['/apis/authentication.k8s.io/v1/selfsubjectreviews', subjectReview],
]);

export const isReview = (path: string): boolean => reviews.has(path);

/**
 * Says who the caller is, or what he may do.
 * @throws KubeError `BadRequest`
 */
export function answerReview(path: string, sent: unknown, context: ReviewContext): Fields {
  const review = reviews.get(path);
  if (review === undefined || (sent !== undefined && !isFields(sent))) {
    throw new KubeError('BadRequest', 'the body is no review');
  }
  return { ...sent, status: review(sent ?? {}, context) };
}

function accessReview(
  { spec }: Fields,
  { resources, sharedNamespace, caller }: ReviewContext,
): Fields {
  const { resourceAttributes, nonResourceAttributes } = isFields(spec) ? spec : {};
  if (isFields(nonResourceAttributes)) {
    // Discovery, versions and health are for everybody who is known.
    return { allowed: nonResourceAttributes['verb'] === 'get' };
  }
  if (!isFields(resourceAttributes)) {
    throw new KubeError(
      'BadRequest',
      'spec.resourceAttributes or spec.nonResourceAttributes is required',
    );
  }
  const { group = '', resource: plural = '', verb = '' } = resourceAttributes;
  const { namespace, name, subresource } = resourceAttributes;
  const asksAll = plural === '*' || verb === '*' || group === '*';
  if (asksAll) return { allowed: caller.namespaces === undefined || isOwn(caller, namespace) };
  const resource = resources.find((each) => each.group === group && each.plural === plural);
  if (resource === undefined) {
    return { allowed: false, reason: `there is no resource ${JSON.stringify(plural)} here` };
  }
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const isStream = text(subresource) === 'portforward' || text(subresource) === 'exec';
  if (!isStream && !resource.verbs.some((each) => each === verb)) {
    return { allowed: false, reason: `nobody can ${String(verb)} ${plural} here` };
  }
  const attempt = {
    verb: String(verb),
    resource,
    namespace: resource.namespaced ? text(namespace) : undefined,
    name: text(name),
    subresource: text(subresource),
  };
  const grant = grantOf(caller, attempt, sharedNamespace);
  return { allowed: grant !== undefined };
}

const isOwn = ({ namespaces }: Caller, namespace: unknown): boolean =>
  typeof namespace === 'string' && namespaces?.has(namespace) === true;

function rulesReview(
  { spec }: Fields,
  { resources, sharedNamespace, caller }: ReviewContext,
): Fields {
  const { namespace: asked } = isFields(spec) ? spec : {};
  const namespace = typeof asked === 'string' && asked !== '' ? asked : 'default';
  const resourceRules = resources.flatMap((resource) => {
    const place = { namespace: resource.namespaced ? namespace : undefined };
    const verbs = resource.verbs.filter((verb) => {
      const attempt = { verb, resource, ...place, name: undefined, subresource: undefined };
      return grantOf(caller, attempt, sharedNamespace) !== undefined;
    });
    const { group, plural } = resource;
    return verbs.length === 0 ? [] : [{ verbs, apiGroups: [group], resources: [plural] }];
  });
  const nonResourceRules = [{ verbs: ['get'], nonResourceURLs: ['*'] }];
  return { resourceRules, nonResourceRules, incomplete: false };
}

function subjectReview(_sent: Fields, { caller }: ReviewContext): Fields {
  return { userInfo: { username: caller.name, groups: caller.groups } };
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
