import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KubeError } from '../../objects/kube-error.ts';
import { decodeProtobuf } from './protobuf-body.ts';

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];

/** A field that holds a text or a message. */
const field = (number: number, value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
};

const body = (kind: string, ...fields: Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, 'v1'), field(2, kind)])),
    field(2, Buffer.concat(fields)),
    field(4, ''),
  ]);

describe('decodeProtobuf', () => {
  test('reads what kubectl sends', () => {
    const attributes = Buffer.concat([field(1, 'default'), field(2, 'create'), field(5, 'pods')]);
    expect(decodeProtobuf(body('SelfSubjectAccessReview', field(2, field(1, attributes))))).toEqual(
      {
        apiVersion: 'v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { namespace: 'default', verb: 'create', resource: 'pods' } },
      },
    );
    const label = (key: string, value: string) =>
      field(11, Buffer.concat([field(1, key), field(2, value)]));
    const metadata = Buffer.concat([field(1, 'n'), label('a', 'b'), label('c', 'd')]);
    const namespace = decodeProtobuf(body('Namespace', field(1, metadata), field(99, 'x')));
    expect(namespace).toMatchObject({ metadata: { name: 'n', labels: { a: 'b', c: 'd' } } });
    const evil = field(1, label('__proto__', 'x'));
    expect(() => decodeProtobuf(body('Namespace', evil))).toThrow(KubeError);
    const grace = Buffer.from([0x08, ...varint(300)]);
    const dryRun = field(5, 'All');
    expect(decodeProtobuf(body('DeleteOptions', grace, Buffer.from([0x18, 1]), dryRun))).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 300,
      orphanDependents: true,
      dryRun: ['All'],
    });
    expect(decodeProtobuf(Buffer.alloc(0))).toBeUndefined();
  });

  test('refuses other kinds, and what is cut off', () => {
    expect(() => decodeProtobuf(body('Pod'))).toThrow('"Pod" are not read from protobuf');
    const whole = body('Namespace', field(1, field(1, 'name')));
    for (const cut of [3, 5, 8]) {
      expect(() => decodeProtobuf(whole.subarray(0, whole.length - cut))).toThrow(KubeError);
    }
  });

  test('reads or refuses any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isInside) => {
        const raw = Buffer.from(bytes);
        try {
          decodeProtobuf(
            isInside ? body('Namespace', raw) : Buffer.concat([Buffer.from('k8s\0'), raw]),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(KubeError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('refuses very many fields', () => {
    const entry = field(11, Buffer.concat([field(1, 'k'), field(2, 'v')]));
    const many = Buffer.concat(Array.from({ length: 100_000 }, () => entry));
    expect(() => decodeProtobuf(body('Namespace', field(1, many)))).toThrow('up to 262144 bytes');
  });
});
