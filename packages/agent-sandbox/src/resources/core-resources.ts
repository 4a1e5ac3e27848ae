import {
  allVerbs,
  coreSchemas,
  type KubeObject,
  type PrinterColumn,
  type Resource,
  type Verb,
} from '@sandport/kube-api';

const readVerbs: readonly Verb[] = ['get', 'list', 'watch'];

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const text = (name: string, jsonPath: string, priority = 0): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath,
  priority,
});

/** A column that shows what no path leads to. */
const made = (name: string, cell: NonNullable<PrinterColumn['cell']>): PrinterColumn => ({
  ...text(name, ''),
  cell,
});

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const itemsOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.map(fieldsOf) : [];

function readyContainers({ status }: KubeObject): string {
  const containers = itemsOf(status?.['containerStatuses']);
  const ready = containers.filter((container) => container['ready'] === true);
  return `${ready.length}/${containers.length}`;
}

const portList = (ports: unknown, show: (port: Readonly<Record<string, unknown>>) => string) =>
  itemsOf(ports).map(show).join(',');

const selectorOf = ({ spec }: KubeObject): string =>
  Object.entries(fieldsOf(spec?.['selector']))
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',');

function involved({ involvedObject }: KubeObject): string {
  const { kind = '', name = '' } = fieldsOf(involvedObject);
  return `${String(kind).toLowerCase()}/${String(name)}`;
}

interface Kind {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced?: boolean;
  readonly persistent?: boolean;
  readonly verbs?: readonly Verb[];
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
}

const kinds = {
  namespace: {
    kind: 'Namespace',
    plural: 'namespaces',
    shortNames: ['ns'],
    namespaced: false,
    persistent: true,
    verbs: allVerbs,
    description: 'A compartment: names are unique and keys are valid within one.',
    columns: [text('Status', '.status.phase'), age],
  },
  node: {
    kind: 'Node',
    plural: 'nodes',
    shortNames: ['no'],
    namespaced: false,
    description: 'The machine that the sandboxes run on.',
    columns: [
      text('Status', ".status.conditions[?(@.type=='Ready')].reason"),
      age,
      text('Version', '.status.nodeInfo.kubeletVersion'),
      text('OS-Image', '.status.nodeInfo.osImage', 1),
    ],
  },
  pod: {
    kind: 'Pod',
    plural: 'pods',
    shortNames: ['po'],
    categories: ['all'],
    verbs: [...readVerbs, 'delete', 'deletecollection'],
    description: 'The running side of a Sandbox. A pod that is deleted is made anew.',
    columns: [
      made('Ready', readyContainers),
      text('Status', '.status.phase'),
      { name: 'Restarts', type: 'integer', jsonPath: '.status.containerStatuses[0].restartCount' },
      age,
      text('IP', '.status.podIP', 1),
      text('Node', '.spec.nodeName', 1),
    ],
  },
  service: {
    kind: 'Service',
    plural: 'services',
    shortNames: ['svc'],
    categories: ['all'],
    description: 'Ports of a Sandbox, or of the router.',
    columns: [
      text('Type', '.spec.type'),
      text('Cluster-IP', '.spec.clusterIP'),
      made('External-IP', () => '<none>'),
      made('Port(s)', ({ spec }) =>
        portList(spec?.['ports'], ({ port, protocol }) => `${String(port)}/${String(protocol)}`),
      ),
      age,
      { ...made('Selector', selectorOf), priority: 1 },
    ],
  },
  volumeClaim: {
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    shortNames: ['pvc'],
    description: 'The volume of a Sandbox.',
    columns: [
      text('Status', '.status.phase'),
      text('Volume', '.spec.volumeName'),
      text('Capacity', '.status.capacity.storage'),
      text('Access Modes', '.status.accessModes[*]'),
      age,
    ],
  },
  event: {
    kind: 'Event',
    plural: 'events',
    shortNames: ['ev'],
    description: 'Something that happened to an object.',
    columns: [
      { name: 'Last Seen', type: 'date', jsonPath: '.lastTimestamp' },
      text('Type', '.type'),
      text('Reason', '.reason'),
      made('Object', involved),
      text('Message', '.message'),
      text('Name', '.metadata.name', 1),
    ],
  },
  endpointSlice: {
    group: 'discovery.k8s.io',
    kind: 'EndpointSlice',
    plural: 'endpointslices',
    description: 'Addresses behind a service.',
    columns: [
      text('AddressType', '.addressType'),
      made('Ports', ({ ports }) => portList(ports, ({ port }) => String(port))),
      made('Endpoints', ({ endpoints }) =>
        itemsOf(endpoints)
          .flatMap(({ addresses }) => (Array.isArray(addresses) ? addresses.map(String) : []))
          .join(','),
      ),
      age,
    ],
  },
  gateway: {
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    plural: 'gateways',
    shortNames: ['gtw'],
    persistent: true,
    verbs: allVerbs,
    description: 'An address of the router.',
    columns: [
      text('Class', '.spec.gatewayClassName'),
      text('Address', '.status.addresses[*].value'),
      text('Programmed', ".status.conditions[?(@.type=='Programmed')].status"),
      age,
    ],
  },
} as const satisfies Record<string, Kind>;

export type CoreKind = keyof typeof kinds;

/** A kind of Kubernetes' own that clients look up beside the sandboxes. */
export function coreResource(
  name: CoreKind,
  hooks: Pick<Resource, 'admit' | 'synthetic'> = {},
): Resource {
  const kind: Kind = kinds[name];
  const version = kind.version ?? 'v1';
  return {
    group: kind.group ?? '',
    kind: kind.kind,
    plural: kind.plural,
    singular: kind.kind.toLowerCase(),
    shortNames: kind.shortNames ?? [],
    ...(kind.categories === undefined ? {} : { categories: kind.categories }),
    namespaced: kind.namespaced ?? true,
    versions: [
      {
        name: version,
        schema: { ...coreSchemas[name], description: kind.description },
        columns: kind.columns,
        hasStatus: kind.persistent === true,
      },
    ],
    storageVersion: version,
    persistent: kind.persistent ?? false,
    verbs: kind.verbs ?? readVerbs,
    ...hooks,
  };
}
