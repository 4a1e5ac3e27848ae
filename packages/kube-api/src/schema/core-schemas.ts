import type { Schema } from '../objects/resource.ts';

/**
 * Schemas of kinds that Kubernetes has itself, with the fields that clients look at most. Other
 * fields are kept as they are.
 */

const open = { 'x-kubernetes-preserve-unknown-fields': true };

const fields = (description: string, properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  description,
  properties,
  ...open,
});
const text = (description: string): Schema => ({ type: 'string', description });
const whole = (description: string): Schema => ({ type: 'integer', description });
const flag = (description: string): Schema => ({ type: 'boolean', description });
const time = (description: string): Schema => ({
  type: 'string',
  format: 'date-time',
  nullable: true,
  description,
});
const list = (description: string, items: Schema): Schema => ({
  type: 'array',
  description,
  items,
});
const texts = (description: string): Schema => list(description, { type: 'string' });
/** A list whose items are told apart by one of their fields. */
const byKey = (key: string, description: string, items: Schema): Schema => ({
  ...list(description, items),
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
});
const textMap = (description: string): Schema => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string' },
});
const quantity: Schema = {
  'x-kubernetes-int-or-string': true,
  anyOf: [{ type: 'integer' }, { type: 'string' }],
};
const quantities = (description: string): Schema => ({
  type: 'object',
  description,
  additionalProperties: quantity,
});

const conditions = byKey(
  'type',
  'What has been observed.',
  fields('One observation.', {
    type: text('What it is about, as Ready.'),
    status: text('True, False or Unknown.'),
    reason: text('Why, in one word.'),
    message: text('Why, in a sentence.'),
    lastTransitionTime: time('When the status changed.'),
    observedGeneration: whole('Generation of the object that was looked at.'),
  }),
);

const container = fields('One program of a pod.', {
  name: text('Unique within the pod.'),
  image: text('What it is started from.'),
  command: texts('The program, with arguments that always come first.'),
  args: texts('Further arguments.'),
  workingDir: text('Directory in which it starts.'),
  env: byKey(
    'name',
    'Environment variables.',
    fields('One variable.', { name: text('Its name.'), value: text('Its value.') }),
  ),
  ports: list(
    'Ports that it listens on.',
    fields('One port.', {
      containerPort: whole('Its number.'),
      name: text('Its name.'),
      protocol: text('TCP or UDP.'),
    }),
  ),
  resources: fields('What it may use.', {
    limits: quantities('At most.'),
    requests: quantities('At least.'),
  }),
  volumeMounts: byKey(
    'mountPath',
    'Where volumes are mounted.',
    fields('One mount.', {
      name: text('Name of the volume.'),
      mountPath: text('Directory in the container.'),
      readOnly: flag('Whether it cannot be written to.'),
    }),
  ),
});

const pod: Schema = fields('A group of containers that run together.', {
  spec: fields('What the pod should be.', {
    containers: byKey('name', 'The programs of the pod.', container),
    nodeName: text('The machine it runs on.'),
    hostname: text('Its host name.'),
    restartPolicy: text('Always, OnFailure or Never.'),
    runtimeClassName: text('What isolates it.'),
    volumes: byKey(
      'name',
      'Storage that containers can mount.',
      fields('One volume.', { name: text('Unique within the pod.') }),
    ),
  }),
  status: fields('What the pod is.', {
    phase: text('Pending, Running, Succeeded, Failed or Unknown.'),
    reason: text('Why, in one word.'),
    message: text('Why, in a sentence.'),
    conditions,
    podIP: text('Its address.'),
    podIPs: byKey('ip', 'Its addresses.', fields('One address.', { ip: text('The address.') })),
    hostIP: text('Address of the machine.'),
    startTime: time('When it was first seen to.'),
    containerStatuses: byKey(
      'name',
      'What the containers are.',
      fields('One container.', {
        name: text('Its name.'),
        ready: flag('Whether it takes requests.'),
        restartCount: whole('How often it was started again.'),
        image: text('What it was started from.'),
      }),
    ),
  }),
});

const service: Schema = fields('A name and ports under which pods are reached.', {
  spec: fields('What the service should be.', {
    type: text('ClusterIP, NodePort, LoadBalancer or ExternalName.'),
    clusterIP: text('Its address; None for a service without one.'),
    selector: textMap('Labels of the pods that it leads to.'),
    ports: list(
      'Its ports.',
      fields('One port.', {
        name: text('Its name.'),
        port: whole('Its number.'),
        protocol: text('TCP or UDP.'),
        targetPort: { ...quantity, description: 'Number or name of the port of the pods.' },
      }),
    ),
  }),
  status: fields('What the service is.', { conditions }),
});

const namespace: Schema = fields('A compartment in which names are unique.', {
  spec: fields('What the namespace should be.', {
    finalizers: texts('What must be done before it goes.'),
  }),
  status: fields('What the namespace is.', { phase: text('Active or Terminating.'), conditions }),
});

const node: Schema = fields('A machine that pods run on.', {
  spec: fields('What the machine should be.', {
    unschedulable: flag('Whether it takes no more pods.'),
  }),
  status: fields('What the machine is.', {
    conditions,
    capacity: quantities('All that it has.'),
    allocatable: quantities('What pods may use.'),
    addresses: list(
      'How it is reached.',
      fields('One address.', { type: text('Its sort.'), address: text('The address.') }),
    ),
    nodeInfo: fields('Versions of what it runs.', {
      kubeletVersion: text('Version of its agent.'),
      osImage: text('Its system.'),
      kernelVersion: text('Version of its kernel.'),
      architecture: text('Its processor.'),
    }),
  }),
});

const volumeClaim: Schema = fields('A claim to storage that outlives pods.', {
  spec: fields('What is claimed.', {
    accessModes: texts('How it may be mounted.'),
    resources: fields('How much.', { requests: quantities('At least.') }),
    storageClassName: text('Its sort.'),
    volumeName: text('The volume that answers the claim.'),
    volumeMode: text('Filesystem or Block.'),
  }),
  status: fields('What was given.', {
    phase: text('Pending, Bound or Lost.'),
    accessModes: texts('How it can be mounted.'),
    capacity: quantities('How much there is.'),
    conditions,
  }),
});

const event: Schema = fields('Something that happened to an object.', {
  involvedObject: fields('What it happened to.', {
    kind: text('Its kind.'),
    namespace: text('Its namespace.'),
    name: text('Its name.'),
    uid: text('Its unique id.'),
  }),
  type: text('Normal or Warning.'),
  reason: text('What happened, in one word.'),
  message: text('What happened, in a sentence.'),
  count: whole('How often.'),
  firstTimestamp: time('When it was first seen.'),
  lastTimestamp: time('When it was last seen.'),
  source: fields('Who saw it.', { component: text('Its name.') }),
});

const endpointSlice: Schema = fields('Addresses behind a service.', {
  addressType: text('IPv4, IPv6 or FQDN.'),
  endpoints: list(
    'The addresses.',
    fields('One target.', {
      addresses: texts('Its addresses.'),
      conditions: fields('What it is.', { ready: flag('Whether it takes requests.') }),
      targetRef: fields('The pod.', { kind: text('Its kind.'), name: text('Its name.') }),
    }),
  ),
  ports: list(
    'The ports of all of them.',
    fields('One port.', { name: text('Its name.'), port: whole('Its number.') }),
  ),
});

const gateway: Schema = fields('An address at which requests come in.', {
  spec: fields('What the gateway should be.', {
    gatewayClassName: text('Who serves it.'),
    listeners: byKey(
      'name',
      'What it listens for.',
      fields('One listener.', {
        name: text('Unique within the gateway.'),
        port: whole('Its port.'),
        protocol: text('As HTTP.'),
        hostname: text('Host name that it is for.'),
      }),
    ),
  }),
  status: fields('What the gateway is.', {
    addresses: list(
      'Where it listens.',
      fields('One address.', { type: text('Its sort.'), value: text('The address.') }),
    ),
    conditions,
  }),
});

export const coreSchemas = {
  endpointSlice,
  event,
  gateway,
  namespace,
  node,
  pod,
  service,
  volumeClaim,
} as const;
