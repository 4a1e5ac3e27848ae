import type { Schema } from '../objects/resource.ts';

const text: Schema = { type: 'string', nullable: true };
const time: Schema = { type: 'string', format: 'date-time', nullable: true };
const whole: Schema = { type: 'integer', format: 'int64', nullable: true };
const flag: Schema = { type: 'boolean', nullable: true };
const texts: Schema = {
  type: 'object',
  nullable: true,
  additionalProperties: { type: 'string' },
};

/** The schema of `metadata`, the same for every kind. A field that is null is one left out. */
export const objectMetaSchema: Schema = {
  type: 'object',
  description: "Standard object's metadata.",
  properties: {
    name: {
      ...text,
      description: 'Unique within a namespace. Cannot be changed.',
    },
    generateName: {
      ...text,
      description: 'Beginning of a name that the server completes, where no name is given.',
    },
    namespace: { ...text, description: 'The compartment in which the name is unique.' },
    selfLink: text,
    uid: { ...text, description: 'Unique for all time; given by the server.' },
    resourceVersion: {
      ...text,
      description: 'Changes with the object; given back, it guards against lost updates.',
    },
    generation: { ...whole, description: 'Grows with each change of what is desired.' },
    creationTimestamp: { ...time, description: 'When the server made it.' },
    deletionTimestamp: { ...time, description: 'When its deletion was asked for.' },
    deletionGracePeriodSeconds: whole,
    labels: { ...texts, description: 'Keys and values by which objects are selected.' },
    annotations: { ...texts, description: 'Keys and values for tools, not for selecting.' },
    ownerReferences: {
      type: 'array',
      nullable: true,
      description: 'The objects with which this one goes.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      items: {
        type: 'object',
        required: ['apiVersion', 'kind', 'name', 'uid'],
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          name: { type: 'string' },
          uid: { type: 'string' },
          controller: flag,
          blockOwnerDeletion: flag,
        },
        'x-kubernetes-map-type': 'atomic',
      },
    },
    finalizers: {
      type: 'array',
      nullable: true,
      description: 'Must be empty before the object goes.',
      'x-kubernetes-list-type': 'set',
      items: { type: 'string' },
    },
    managedFields: {
      type: 'array',
      nullable: true,
      description: 'Who set which field; kept by the server.',
      items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  },
};
