import { checkJson } from '../../objects/json.ts';
import { KubeError } from '../../objects/kube-error.ts';
import { readMessage, type Shape } from './protobuf.ts';

/** Before every object that Kubernetes clients send this way. */
const magic = Buffer.from('k8s\0');

/** What is sent this way is small. */
const maxLength = 256 << 10;

const text = (name: string) => ({ name, type: 'text' }) as const;

const envelope: Shape = {
  1: { name: 'type', type: { 1: text('apiVersion'), 2: text('kind') } },
  2: { name: 'raw', type: 'bytes' },
};

const metadata: Shape = {
  1: text('name'),
  2: text('generateName'),
  3: text('namespace'),
  11: { name: 'labels', type: 'map' },
  12: { name: 'annotations', type: 'map' },
};

const attributes: Shape = {
  1: text('namespace'),
  2: text('verb'),
  3: text('group'),
  4: text('version'),
  5: text('resource'),
  6: text('subresource'),
  7: text('name'),
};

/**
 * The kinds that kubectl sends this way even to a server that does not offer it, with the field
 * numbers of Kubernetes' own `generated.proto` files.
 */
const shapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['Namespace', { 1: { name: 'metadata', type: metadata } }],
  [
    'SelfSubjectAccessReview',
    {
      1: { name: 'metadata', type: metadata },
      2: {
        name: 'spec',
        type: {
          1: { name: 'resourceAttributes', type: attributes },
          2: { name: 'nonResourceAttributes', type: { 1: text('path'), 2: text('verb') } },
        },
      },
    },
  ],
  [
    'SelfSubjectRulesReview',
    {
      1: { name: 'metadata', type: metadata },
      2: { name: 'spec', type: { 1: text('namespace') } },
    },
  ],
  ['SelfSubjectReview', { 1: { name: 'metadata', type: metadata } }],
  [
    'DeleteOptions',
    {
      1: { name: 'gracePeriodSeconds', type: 'number' },
      2: { name: 'preconditions', type: { 1: text('uid'), 2: text('resourceVersion') } },
      3: { name: 'orphanDependents', type: 'flag' },
      4: text('propagationPolicy'),
      5: { ...text('dryRun'), repeated: true },
    },
  ],
]);

/**
 * The object in a body of `application/vnd.kubernetes.protobuf`, of the few kinds that are read.
 * @throws KubeError `BadRequest`, `UnsupportedMediaType`, `RequestEntityTooLarge`
 */
export function decodeProtobuf(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (body.length === 0) return undefined;
  if (body.length > maxLength) {
    throw new KubeError('RequestEntityTooLarge', `protobuf is read up to ${maxLength} bytes`);
  }
  if (!body.subarray(0, magic.length).equals(magic)) {
    throw new KubeError('BadRequest', 'the body does not begin as an object in protobuf does');
  }
  const { type, raw } = readMessage(body.subarray(magic.length), envelope) as Envelope;
  const { apiVersion = '', kind = '' } = type ?? {};
  const shape = shapes.get(kind);
  if (shape === undefined) {
    throw new KubeError(
      'UnsupportedMediaType',
      `objects of kind ${JSON.stringify(kind)} are not read from protobuf; send application/json`,
    );
  }
  const object = { apiVersion, kind, ...readMessage(raw ?? Buffer.alloc(0), shape) };
  checkJson(object);
  return object;
}

interface Envelope {
  readonly type?: { readonly apiVersion?: string; readonly kind?: string };
  readonly raw?: Buffer;
}
