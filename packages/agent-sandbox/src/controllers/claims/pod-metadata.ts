import type { PodMetadata } from '../../templates/blueprint.ts';

/** Labels that claims may give pods are below this domain. */
const labelDomain = 'sandbox.users.io';
/** Annotations under these are the system's. */
const systemDomains = ['kubernetes.io', 'k8s.io'];

const namePattern = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const domainPattern = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Why a claim may not give its pod this metadata; undefined: it may. */
export function podMetadataFault(
  added: PodMetadata,
  template: PodMetadata = {},
): string | undefined {
  for (const [key, value] of Object.entries(added.labels ?? {})) {
    const fault = keyFault(key) ?? labelFault(key, value);
    if (fault !== undefined) return `label "${key}": ${fault}`;
  }
  for (const key of Object.keys(added.annotations ?? {})) {
    const fault = keyFault(key) ?? annotationFault(key);
    if (fault !== undefined) return `annotation "${key}": ${fault}`;
  }
  return (
    conflict('label', added.labels, template.labels) ??
    conflict('annotation', added.annotations, template.annotations)
  );
}

/** The metadata of the pod: the template's, and what the claim adds. */
export const mergedPodMetadata = (
  template: PodMetadata = {},
  added: PodMetadata = {},
): PodMetadata => ({
  labels: { ...template.labels, ...added.labels },
  annotations: { ...template.annotations, ...added.annotations },
});

function domainOf(key: string): string | undefined {
  const slash = key.indexOf('/');
  return slash === -1 ? undefined : key.slice(0, slash).toLowerCase();
}

const isBelow = (domain: string, parent: string): boolean =>
  domain === parent || domain.endsWith(`.${parent}`);

function keyFault(key: string): string | undefined {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const [domain] = parts.length === 2 ? parts : [];
  const isKey =
    parts.length <= 2 &&
    namePattern.test(name) &&
    (parts.length === 1 || domainPattern.test(domain ?? ''));
  return isKey ? undefined : 'it is no valid key';
}

function labelFault(key: string, value: string): string | undefined {
  const domain = domainOf(key);
  if (domain === undefined || !isBelow(domain, labelDomain))
    return `labels of pods must begin with "${labelDomain}/"`;
  return value === '' || namePattern.test(value) ? undefined : 'its value is no valid label value';
}

function annotationFault(key: string): string | undefined {
  const domain = domainOf(key);
  const isSystem = domain !== undefined && systemDomains.some((parent) => isBelow(domain, parent));
  return isSystem ? 'its domain is the system’s' : undefined;
}

function conflict(
  what: string,
  added: Readonly<Record<string, string>> = {},
  template: Readonly<Record<string, string>> = {},
): string | undefined {
  const key = Object.keys(added).find(
    (each) => Object.hasOwn(template, each) && template[each] !== added[each],
  );
  return key === undefined
    ? undefined
    : `${what} "${key}" has the value "${template[key]}" in the template, which a claim cannot change`;
}
