import { envSchema, userSchema, volumeNameSchema } from '@sandport/protocol';
import type { Container, EnvVar, PodSpec, PodVolume, VolumeMount } from './blueprint.ts';
import { isolationOf, knownRuntimeClasses } from './isolation.ts';
import { resourcesOf, type TemplateFault } from './limits.ts';

export interface PodReview {
  /** Why it is refused; fields are below the pod's `spec`. */
  readonly faults: readonly TemplateFault[];
  /** What has no effect here, a sentence each. */
  readonly warnings: readonly string[];
}

/** Fields that ask for what must not be lost silently. */
const refusedFlags = ['hostNetwork', 'hostPID', 'hostIPC'] as const;

/** Fields of a pod that one machine has nothing for. */
const unusedPodFields = [
  'activeDeadlineSeconds',
  'affinity',
  'dnsConfig',
  'hostAliases',
  'hostname',
  'imagePullSecrets',
  'initContainers',
  'nodeName',
  'nodeSelector',
  'overhead',
  'priority',
  'priorityClassName',
  'readinessGates',
  'resourceClaims',
  'schedulerName',
  'schedulingGates',
  'serviceAccount',
  'serviceAccountName',
  'shareProcessNamespace',
  'subdomain',
  'tolerations',
  'topologySpreadConstraints',
] as const;

const unusedContainerFields = [
  'args',
  'command',
  'lifecycle',
  'livenessProbe',
  'ports',
  'readinessProbe',
  'startupProbe',
  'volumeDevices',
] as const;

/** Why a field has no effect, where that is not plain. */
const reasons: Readonly<Record<string, string>> = {
  args: 'the runtime API is served by the daemon, and no program of the image is started',
  command: 'the runtime API is served by the daemon, and no program of the image is started',
  livenessProbe: 'the daemon watches the sandbox itself',
  readinessProbe: 'a sandbox is ready when it takes commands',
  startupProbe: 'a sandbox is ready when it takes commands',
  ports: 'the ports of the runtime API are always open, and others are reached by port-forward',
  imagePullSecrets: 'registries are asked without credentials',
  initContainers: 'build a template that has what they prepare',
};

/** Fields whose values can come into the environment. */
export const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'status.podIP',
] as const;

/** Says what of a pod's specification cannot be, and what will have no effect. */
export function reviewPodSpec(spec: PodSpec): PodReview {
  const faults: TemplateFault[] = [];
  const warnings: string[] = [];
  for (const field of refusedFlags)
    if (spec[field] === true) faults.push(forbidden(field, 'a sandbox has namespaces of its own'));
  if (isolationOf(spec.runtimeClassName) === undefined)
    faults.push({
      field: 'runtimeClassName',
      message: `no runtime class is called "${spec.runtimeClassName}"; known are ${knownRuntimeClasses.join(', ')}`,
      reason: 'FieldValueNotSupported',
    });
  for (const field of unusedPodFields) if (isSet(spec[field])) warnings.push(unused(field));
  const { containers = [], volumes = [] } = spec;
  if (containers.length > 1)
    warnings.push(
      `containers: only the first of ${containers.length} is made; a sandbox is one container`,
    );
  const [container] = containers;
  if (container !== undefined) reviewContainer(container, faults, warnings);
  volumes.forEach((volume, at) => reviewVolume(volume, `volumes[${at}]`, faults, warnings));
  const user = spec.securityContext?.runAsUser;
  if (user !== undefined) checkUser(user, 'securityContext', faults);
  return { faults, warnings };
}

function reviewContainer(container: Container, faults: TemplateFault[], warnings: string[]): void {
  const at = 'containers[0]';
  const { env = [], volumeMounts = [], securityContext = {} } = container;
  for (const field of unusedContainerFields)
    if (isSet(container[field])) warnings.push(unused(field, `${at}.`));
  if (securityContext['privileged'] === true)
    faults.push(forbidden(`${at}.securityContext.privileged`, 'no sandbox is privileged'));
  if (isSet(securityContext['capabilities']))
    warnings.push(unused('securityContext.capabilities', `${at}.`));
  if (securityContext['readOnlyRootFilesystem'] === true)
    warnings.push(unused('securityContext.readOnlyRootFilesystem', `${at}.`));
  if (securityContext.runAsUser !== undefined)
    checkUser(securityContext.runAsUser, `${at}.securityContext`, faults);
  if (isSet(container['envFrom']))
    faults.push(forbidden(`${at}.envFrom`, 'there are no Secrets and ConfigMaps; give the values'));
  env.forEach((each, index) => reviewEnv(each, `${at}.env[${index}]`, faults));
  volumeMounts.forEach((each, index) => reviewMount(each, `${at}.volumeMounts[${index}]`, faults));
  const { workingDir } = container;
  if (workingDir !== undefined && (!workingDir.startsWith('/') || workingDir.length > 3900))
    faults.push(invalid(`${at}.workingDir`, 'must be an absolute path'));
  for (const fault of resourcesOf(container).faults)
    faults.push({ ...fault, field: `${at}.${fault.field}` });
}

function reviewEnv({ name, value, valueFrom }: EnvVar, at: string, faults: TemplateFault[]): void {
  if (!envSchema.safeParse({ [name]: value ?? '' }).success)
    faults.push(invalid(`${at}.name`, 'must be a name of letters, digits and _'));
  if (valueFrom === undefined) return;
  const path = valueFrom.fieldRef?.fieldPath;
  if (environmentFields.some((field) => field === path)) return;
  faults.push({
    field: `${at}.valueFrom`,
    message: `only fieldRef is known here, to ${environmentFields.join(', ')}; give the value itself`,
    reason: 'FieldValueNotSupported',
  });
}

function reviewMount(mount: VolumeMount, at: string, faults: TemplateFault[]): void {
  if ((mount.subPath ?? '') !== '' || (mount.subPathExpr ?? '') !== '')
    faults.push(forbidden(`${at}.subPath`, 'volumes are mounted as a whole'));
  const { mountPath = '' } = mount;
  if (!mountPath.startsWith('/') || mountPath.length > 3900)
    faults.push(invalid(`${at}.mountPath`, 'must be an absolute path'));
}

function reviewVolume(
  { name, ...volume }: PodVolume,
  at: string,
  faults: TemplateFault[],
  warnings: string[],
): void {
  const [kind] = Object.keys(volume);
  if (kind === undefined) return;
  if (kind === 'persistentVolumeClaim') {
    if (!volumeNameSchema.safeParse(volume.persistentVolumeClaim?.claimName).success)
      faults.push(invalid(`${at}.${kind}.claimName`, 'must be a DNS label of up to 63 characters'));
    return;
  }
  if (kind === 'emptyDir') {
    if (volume.emptyDir?.medium === 'Memory')
      warnings.push(`volumes: "${name}" lies on the disk of the sandbox, not in memory`);
    return;
  }
  faults.push(
    forbidden(
      `${at}.${kind}`,
      'known are emptyDir, persistentVolumeClaim and volumeClaimTemplates',
    ),
  );
}

function checkUser(user: number, at: string, faults: TemplateFault[]): void {
  if (!userSchema.safeParse(String(user)).success)
    faults.push(invalid(`${at}.runAsUser`, 'must be a number up to 65535'));
}

const unused = (field: string, at = ''): string =>
  `${at}${field} has no effect${reasons[field] === undefined ? ' on one machine' : `: ${reasons[field]}`}`;

const forbidden = (field: string, why: string): TemplateFault => ({
  field,
  message: `Forbidden: ${why}`,
  reason: 'FieldValueForbidden',
});

const invalid = (field: string, message: string): TemplateFault => ({
  field,
  message: `Invalid value: ${message}`,
  reason: 'FieldValueInvalid',
});

/** Empty lists and maps ask for nothing. */
function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
