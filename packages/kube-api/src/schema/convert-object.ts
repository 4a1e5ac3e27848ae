import type { KubeObject } from '../objects/kube-object.ts';
import { groupVersion, type Resource } from '../objects/resource.ts';

/** The object in another version of its kind; the object itself when it has that version. */
export const convertObject = (
  resource: Resource,
  object: KubeObject,
  versionName: string,
): KubeObject => {
  const apiVersion = groupVersion(resource.group, versionName);
  if (object.apiVersion === apiVersion) return object;
  const converted = resource.convert?.(object, versionName) ?? object;
  return converted.apiVersion === apiVersion ? converted : { ...converted, apiVersion };
};
