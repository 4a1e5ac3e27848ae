import { type Body, type FieldMaps, type Fields, referenced, without } from './field-map.ts';

/** Pool that stands for sandboxes that are made from a template when they are asked for. */
const shadowPrefix = 'shadow-pool-';
export const shadowPoolOf = (template: string): string => `${shadowPrefix}${template}`;

/** The template that a shadow pool stands for. */
export const templateOfShadowPool = (pool: string): string | undefined =>
  pool.startsWith(shadowPrefix) ? pool.slice(shadowPrefix.length) : undefined;

const map = (body: Body, spec: (spec: Fields) => Fields, status = same): Body => ({
  ...(body.spec === undefined ? {} : { spec: spec(body.spec) }),
  ...(body.status === undefined ? {} : { status: status(body.status, body) }),
});
const same = (fields: Fields, _body: Body): Fields => fields;

/** A claim names a template and perhaps a pool; or only a pool. */
export const claimMaps: FieldMaps = {
  toV1beta1: (body) =>
    map(body, (spec) => {
      const pool = spec['warmpool'];
      const template = referenced(spec, 'sandboxTemplateRef') ?? '';
      const isNamed = typeof pool === 'string' && !['', 'none', 'default'].includes(pool);
      return {
        warmPoolRef: { name: isNamed ? pool : shadowPoolOf(template) },
        ...without(spec, 'warmpool', 'sandboxTemplateRef'),
      };
    }),
  toV1alpha1: (body) =>
    map(body, (spec) => {
      const pool = referenced(spec, 'warmPoolRef') ?? '';
      const template = templateOfShadowPool(pool);
      return {
        sandboxTemplateRef: { name: template ?? pool },
        warmpool: template === undefined ? pool : 'default',
        ...without(spec, 'warmPoolRef', 'volumeClaimTemplates'),
      };
    }),
};

const isRunning = (body: Body): boolean => body.spec?.['operatingMode'] !== 'Suspended';

/** `replicas` 0 or 1 against `operatingMode`. */
export const sandboxMaps: FieldMaps = {
  toV1beta1: (body) =>
    map(
      body,
      ({ replicas, ...spec }) =>
        replicas === undefined
          ? spec
          : { ...spec, operatingMode: replicas === 0 ? 'Suspended' : 'Running' },
      (status) => without(status, 'replicas'),
    ),
  toV1alpha1: (body) =>
    map(
      body,
      ({ operatingMode, ...spec }) =>
        operatingMode === undefined
          ? spec
          : { ...spec, replicas: operatingMode === 'Suspended' ? 0 : 1 },
      (status) => ({ ...without(status, 'nodeName'), replicas: isRunning(body) ? 1 : 0 }),
    ),
};

export const templateMaps: FieldMaps = {
  toV1beta1: (body) => body,
  toV1alpha1: (body) => map(body, (spec) => without(spec, 'volumeClaimTemplatesPolicy')),
};

export const warmPoolMaps: FieldMaps = {
  toV1beta1: (body) => body,
  toV1alpha1: (body) =>
    map(
      body,
      (spec) => spec,
      (status) => without(status, 'observedGeneration'),
    ),
};
