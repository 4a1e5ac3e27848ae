import { fieldOf, isJsonObject } from '../objects/json.ts';
import type { Schema } from '../objects/resource.ts';

export type ValueType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';

/** A rule of `x-kubernetes-validations`. */
export interface RuleText {
  readonly rule: string;
  readonly message: string;
}

/** A schema, read once. */
export interface SchemaNode {
  readonly type: ValueType | undefined;
  readonly description: string | undefined;
  readonly nullable: boolean;
  readonly intOrString: boolean;
  /** Fields that the schema does not name are kept. */
  readonly keepsUnknown: boolean;
  readonly properties: ReadonlyMap<string, SchemaNode>;
  /** Of the values of a map. */
  readonly values: SchemaNode | undefined;
  readonly items: SchemaNode | undefined;
  readonly required: readonly string[];
  readonly enum: readonly unknown[] | undefined;
  readonly format: string | undefined;
  readonly pattern: RegExp | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly minItems: number | undefined;
  readonly maxItems: number | undefined;
  readonly minProperties: number | undefined;
  readonly maxProperties: number | undefined;
  readonly listType: 'atomic' | 'set' | 'map';
  readonly listMapKeys: readonly string[];
  /** Set and owned as a whole. */
  readonly isAtomicMap: boolean;
  /** Undefined: no default. */
  readonly default: unknown;
  /** Whether a default is anywhere below. */
  readonly hasDefaults: boolean;
  readonly rules: readonly RuleText[];
}

/** What a schema may say here. Anything else would be a promise that is not kept. */
const knownKeywords = new Set([
  'additionalProperties',
  'anyOf',
  'default',
  'description',
  'enum',
  'example',
  'externalDocs',
  'format',
  'items',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'nullable',
  'pattern',
  'properties',
  'required',
  'title',
  'type',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);

const maxSchemaDepth = 64;

const valueTypes: ReadonlySet<unknown> = new Set<ValueType>([
  'object',
  'array',
  'string',
  'integer',
  'number',
  'boolean',
]);
const isValueType = (value: unknown): value is ValueType => valueTypes.has(value);

/** @throws Error for a schema with a keyword that is not checked here */
export function readSchema(schema: Schema, depth = 0): SchemaNode {
  if (depth > maxSchemaDepth) throw new Error('The schema refers to itself, or is too deep.');
  checkKeywords(schema);
  const get = (keyword: string): unknown => fieldOf(schema, keyword);
  const properties = readProperties(get('properties'), depth);
  const values = readChild(get('additionalProperties'), depth);
  const items = readChild(get('items'), depth);
  const type = get('type');
  const pattern = get('pattern');
  const listType = get('x-kubernetes-list-type');
  return {
    type: isValueType(type) ? type : undefined,
    description: text(get('description')),
    nullable: get('nullable') === true,
    intOrString: get('x-kubernetes-int-or-string') === true,
    keepsUnknown:
      get('x-kubernetes-preserve-unknown-fields') === true || get('additionalProperties') === true,
    properties,
    values,
    items,
    required: texts(get('required')),
    enum: Array.isArray(get('enum')) ? list(get('enum')) : undefined,
    format: text(get('format')),
    pattern: typeof pattern === 'string' ? new RegExp(pattern) : undefined,
    minLength: number(get('minLength')),
    maxLength: number(get('maxLength')),
    minimum: number(get('minimum')),
    maximum: number(get('maximum')),
    minItems: number(get('minItems')),
    maxItems: number(get('maxItems')),
    minProperties: number(get('minProperties')),
    maxProperties: number(get('maxProperties')),
    listType: listType === 'set' || listType === 'map' ? listType : 'atomic',
    listMapKeys: texts(get('x-kubernetes-list-map-keys')),
    isAtomicMap: get('x-kubernetes-map-type') === 'atomic',
    default: get('default'),
    hasDefaults: [...properties.values(), values, items].some(
      (child) => child !== undefined && (child.default !== undefined || child.hasDefaults),
    ),
    rules: list(get('x-kubernetes-validations'))
      .filter(isJsonObject)
      .map((rule) => ({ rule: text(rule['rule']) ?? '', message: text(rule['message']) ?? '' })),
  };
}

function checkKeywords(schema: Schema): void {
  const unknown = Object.keys(schema).find((keyword) => !knownKeywords.has(keyword));
  if (unknown !== undefined) throw new Error(`The schema keyword "${unknown}" is not checked.`);
  if ('anyOf' in schema && schema['x-kubernetes-int-or-string'] !== true) {
    throw new Error('The schema keyword "anyOf" is only known beside x-kubernetes-int-or-string.');
  }
}

function readProperties(properties: unknown, depth: number): ReadonlyMap<string, SchemaNode> {
  if (!isJsonObject(properties)) return new Map();
  return new Map(
    Object.entries(properties).map(([name, child]) => [
      name,
      readSchema(isJsonObject(child) ? child : {}, depth + 1),
    ]),
  );
}

const readChild = (schema: unknown, depth: number): SchemaNode | undefined =>
  isJsonObject(schema) ? readSchema(schema, depth + 1) : undefined;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;
const number = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): readonly string[] =>
  list(value).filter((item) => typeof item === 'string');

/** All rule texts of a schema, once each. */
export function ruleTexts(node: SchemaNode): readonly string[] {
  const found = new Set(node.rules.map(({ rule }) => rule));
  for (const child of [...node.properties.values(), node.values, node.items]) {
    if (child === undefined) continue;
    for (const rule of ruleTexts(child)) found.add(rule);
  }
  return [...found];
}
