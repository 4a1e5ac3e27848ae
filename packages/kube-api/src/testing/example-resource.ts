import { isJsonObject } from '../objects/json.ts';
import { allVerbs, type Resource, type Schema } from '../objects/resource.ts';

const example: Schema = {
  type: 'object',
  description: 'A widget, for examples and tests.',
  properties: {
    spec: {
      type: 'object',
      description: 'What the widget should be.',
      required: ['size'],
      'x-kubernetes-validations': [
        { rule: 'self.size >= oldSelf.size', message: 'size must not shrink' },
      ],
      properties: {
        size: { type: 'integer', format: 'int32', minimum: 0, description: 'How large it is.' },
        policy: { type: 'string', enum: ['Keep', 'Drop'], default: 'Keep' },
        at: { type: 'string', format: 'date-time' },
        limits: {
          type: 'object',
          additionalProperties: {
            anyOf: [{ type: 'integer' }, { type: 'string' }],
            pattern: '^[0-9]+m?$',
            'x-kubernetes-int-or-string': true,
          },
        },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name', 'protocol'],
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string' },
              protocol: { type: 'string', default: 'TCP' },
              number: { type: 'integer' },
            },
          },
        },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        steps: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic' },
        whole: {
          type: 'object',
          properties: { a: { type: 'string' }, b: { type: 'string' } },
          'x-kubernetes-map-type': 'atomic',
        },
        data: { type: 'object', additionalProperties: { type: 'string' } },
        any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: {
      type: 'object',
      properties: {
        ready: { type: 'boolean' },
        replicas: { type: 'integer' },
        conditions: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
          items: {
            type: 'object',
            properties: { type: { type: 'string' }, status: { type: 'string' } },
          },
        },
      },
    },
  },
};

const sizeOf = (spec: unknown): number =>
  isJsonObject(spec) && typeof spec['size'] === 'number' ? spec['size'] : 0;

/** A kind with every sort of field, which the tests of this package share. */
export const exampleResource: Resource = {
  group: 'example.org',
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  shortNames: ['wd'],
  categories: ['all'],
  namespaced: true,
  versions: [
    {
      name: 'v1',
      schema: example,
      columns: [
        {
          name: 'Ready',
          type: 'string',
          jsonPath: ".status.conditions[?(@.type=='Ready')].status",
        },
        { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
        { name: 'Policy', type: 'string', jsonPath: '.spec.policy', priority: 1 },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
      hasStatus: true,
      scale: {
        specReplicasPath: '.spec.size',
        statusReplicasPath: '.status.replicas',
      },
    },
  ],
  storageVersion: 'v1',
  persistent: true,
  verbs: allVerbs,
  rules: {
    'self.size >= oldSelf.size': (value, before) =>
      before !== undefined && sizeOf(value) < sizeOf(before) ? '' : undefined,
  },
};
