import { KubeError } from '../../objects/kube-error.ts';
import type { KubeObject } from '../../objects/kube-object.ts';
import type { ScalePaths } from '../../objects/resource.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The `Scale` of an object, given in the version that has these paths. */
export function scaleOf(object: KubeObject, paths: ScalePaths): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector =
    paths.labelSelectorPath === undefined ? undefined : valueAt(object, paths.labelSelectorPath);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: { replicas: numberAt(object, paths.specReplicasPath) },
    status: {
      replicas: numberAt(object, paths.statusReplicasPath),
      ...(typeof selector === 'string' ? { selector } : {}),
    },
  };
}

/**
 * The object with the replicas (and the `resourceVersion`, if any) of a `Scale`.
 * @throws KubeError `BadRequest`, `Invalid`
 */
export function withScale(object: KubeObject, scale: unknown, paths: ScalePaths): KubeObject {
  if (!isFields(scale) || scale['kind'] !== 'Scale') {
    throw new KubeError('BadRequest', 'the body is no Scale of autoscaling/v1');
  }
  const spec = isFields(scale['spec']) ? scale['spec'] : {};
  const metadata = isFields(scale['metadata']) ? scale['metadata'] : {};
  const { replicas = 0 } = spec;
  const { resourceVersion } = metadata;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    throw invalidReplicas(object, replicas);
  }
  const scaled = withValueAt(object, stepsOf(paths.specReplicasPath), replicas) as KubeObject;
  if (typeof resourceVersion !== 'string' || resourceVersion === '') return scaled;
  return { ...scaled, metadata: { ...scaled.metadata, resourceVersion } };
}

function invalidReplicas({ metadata }: KubeObject, replicas: unknown): KubeError {
  const message = `Invalid value: ${JSON.stringify(replicas)}: must be a whole number that is not negative`;
  return new KubeError(
    'Invalid',
    `Scale.autoscaling ${JSON.stringify(metadata.name)} is invalid: spec.replicas: ${message}`,
    {
      name: metadata.name,
      group: 'autoscaling',
      kind: 'Scale',
      causes: [{ field: 'spec.replicas', message, reason: 'FieldValueInvalid' }],
    },
  );
}

/** Paths have the form `.spec.replicas`. */
const stepsOf = (path: string): readonly string[] => path.split('.').filter((step) => step !== '');

function valueAt(object: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>(
    (value, step) => (isFields(value) && Object.hasOwn(value, step) ? value[step] : undefined),
    object,
  );
}

function numberAt(object: unknown, path: string): number {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : 0;
}

function withValueAt(object: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  const fields = isFields(object) ? object : {};
  return { ...fields, [step]: withValueAt(fields[step], rest, value) };
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
