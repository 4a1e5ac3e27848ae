import type { ObjectMeta } from '../objects/kube-object.ts';
import type { Resource } from '../objects/resource.ts';
import type { Causes } from './causes.ts';
import { dnsLabel, dnsSubdomain, labelValue, type NameRule, qualifiedName } from './names.ts';

const maxAnnotationBytes = 256 * 1024;
const maxFinalizers = 64;
const maxOwners = 64;
const maxLabels = 256;

/** Checks what a schema cannot say of metadata. Its types have been checked. */
export function validateMetadata(resource: Resource, metadata: ObjectMeta, causes: Causes): void {
  validateNames(resource, metadata, causes);
  validateLabels(metadata.labels ?? {}, causes);
  validateAnnotations(metadata.annotations ?? {}, causes);
  const { finalizers = [], ownerReferences = [] } = metadata;
  if (finalizers.length > maxFinalizers) {
    causes.tooMany('metadata.finalizers', finalizers.length, maxFinalizers);
  }
  finalizers.forEach((finalizer, index) => {
    check(qualifiedName, finalizer, `metadata.finalizers[${index}]`, causes);
  });
  if (ownerReferences.length > maxOwners) {
    causes.tooMany('metadata.ownerReferences', ownerReferences.length, maxOwners);
  }
  ownerReferences.forEach((owner, index) => {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (owner[field] !== '') continue;
      causes.invalid(`metadata.ownerReferences[${index}].${field}`, '', 'must not be empty');
    }
  });
}

function validateNames(resource: Resource, metadata: ObjectMeta, causes: Causes): void {
  const { name = '', generateName = '', namespace = '' } = metadata;
  const rule = resource.group === '' && resource.kind === 'Namespace' ? dnsLabel : dnsSubdomain;
  if (name !== '') check(rule, name, 'metadata.name', causes);
  else if (generateName === '') {
    causes.required('metadata.name', 'name or generateName is required');
  }
  // What the server adds makes the end of the name right, so only the rest is looked at.
  if (generateName !== '') check(rule, `${generateName}x`, 'metadata.generateName', causes);
  if (resource.namespaced) {
    if (namespace === '') causes.required('metadata.namespace');
    else check(dnsLabel, namespace, 'metadata.namespace', causes);
  } else if (namespace !== '') {
    causes.forbidden('metadata.namespace', 'not allowed on this type');
  }
}

function validateLabels(labels: Readonly<Record<string, string>>, causes: Causes): void {
  const entries = Object.entries(labels);
  if (entries.length > maxLabels) causes.tooMany('metadata.labels', entries.length, maxLabels);
  for (const [key, value] of entries) {
    check(qualifiedName, key, 'metadata.labels', causes);
    check(labelValue, value, 'metadata.labels', causes);
  }
}

function validateAnnotations(annotations: Readonly<Record<string, string>>, causes: Causes): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    check((text) => qualifiedName(text.toLowerCase()), key, 'metadata.annotations', causes);
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > maxAnnotationBytes) causes.tooLong('metadata.annotations', maxAnnotationBytes);
}

function check(rule: NameRule, text: string, field: string, causes: Causes): void {
  const wrong = rule(text);
  if (wrong !== undefined) causes.invalid(field, text, wrong);
}
