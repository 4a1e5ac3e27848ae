import { describe, expect, test } from 'vitest';
import { coreSchemas } from './core-schemas.ts';
import { describeSchema } from './describe-schema.ts';
import { readSchema } from './schema-node.ts';
import { pruneUnknown } from './prune-unknown.ts';

describe('descriptions', () => {
  const schema = {
    type: 'object',
    properties: {
      list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
      map: { type: 'object', additionalProperties: { type: 'string' } },
    },
  };

  test('are put where they belong, and nothing else is changed', () => {
    const described = describeSchema(schema, {
      '': 'All.',
      list: 'Some.',
      'list[].a': 'One of some.',
      'map[]': 'A value.',
    });
    expect(described).toEqual({
      type: 'object',
      description: 'All.',
      properties: {
        list: {
          type: 'array',
          description: 'Some.',
          items: {
            type: 'object',
            properties: { a: { type: 'string', description: 'One of some.' } },
          },
        },
        map: {
          type: 'object',
          additionalProperties: { type: 'string', description: 'A value.' },
        },
      },
    });
    expect(schema).not.toHaveProperty('description');
  });

  test.each(['none', 'list.a', 'list[].b', 'map.a', 'list[].a[]'])(
    'of %s, which is not there, are a mistake',
    (path) => {
      expect(() => describeSchema(schema, { [path]: 'x' })).toThrow(path);
    },
  );
});

test.each(Object.entries(coreSchemas))(
  'the schema of %s keeps what it does not know',
  (_, schema) => {
    const object = { spec: { some: { thing: 1 } }, status: { other: [1] }, more: true };
    expect(pruneUnknown(readSchema(schema), object, '', () => undefined)).toBe(object);
  },
);
