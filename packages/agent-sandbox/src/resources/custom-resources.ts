import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import {
  allVerbs,
  type PrinterColumn,
  type Resource,
  type ResourceVersion,
  type ScalePaths,
  type Schema,
  type SchemaRule,
} from '@sandport/kube-api';
import { describedSchema } from './descriptions.ts';

/** The parts of a CustomResourceDefinition that are used here. */
interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: {
      readonly kind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames?: readonly string[];
    };
    readonly versions: readonly CrdVersion[];
  };
}

interface CrdVersion {
  readonly name: string;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema: { readonly openAPIV3Schema: Schema };
  readonly additionalPrinterColumns?: readonly PrinterColumn[];
  readonly subresources?: { readonly status?: object; readonly scale?: ScalePaths };
}

const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
};

/** The rules of the definitions, as code. */
const rules: Readonly<Record<string, SchemaRule>> = {
  'has(self.volumeClaimTemplates) == has(oldSelf.volumeClaimTemplates) && (!has(self.volumeClaimTemplates) || self.volumeClaimTemplates == oldSelf.volumeClaimTemplates)':
    (value, before) =>
      before === undefined || isDeepStrictEqual(claimTemplates(value), claimTemplates(before))
        ? undefined
        : 'volumeClaimTemplates is immutable',
};

const claimTemplates = (spec: unknown): unknown =>
  typeof spec === 'object' && spec !== null && 'volumeClaimTemplates' in spec
    ? spec.volumeClaimTemplates
    : undefined;

/** The resource that a definition of this package's `crds` directory describes. */
export function customResource(
  file: string,
  hooks: Required<Pick<Resource, 'convert' | 'admit'>>,
): Resource {
  // The files are part of this package.
  const { spec } = JSON.parse(
    readFileSync(new URL(`../../crds/${file}`, import.meta.url), 'utf8'),
  ) as CustomResourceDefinition;
  const { group, names, versions } = spec;
  return {
    group,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular,
    shortNames: names.shortNames ?? [],
    namespaced: true,
    versions: versions.map((version) => resourceVersion(names.kind, version)),
    storageVersion: versions.find(({ storage }) => storage)?.name ?? 'v1beta1',
    persistent: true,
    verbs: allVerbs,
    rules,
    ...hooks,
  };
}

const resourceVersion = (
  kind: string,
  {
    name,
    deprecated = false,
    deprecationWarning,
    schema,
    additionalPrinterColumns = [ageColumn],
    subresources,
  }: CrdVersion,
): ResourceVersion => ({
  name,
  schema: describedSchema(kind, name, schema.openAPIV3Schema),
  columns: additionalPrinterColumns,
  hasStatus: subresources?.status !== undefined,
  ...(subresources?.scale === undefined ? {} : { scale: subresources.scale }),
  deprecated,
  ...(deprecationWarning === undefined ? {} : { deprecationWarning }),
});
