import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { KubeAccess } from './access.ts';
import { mergeText, otherEntries } from './merge-text.ts';

const access: KubeAccess = {
  name: 'sandport',
  server: 'https://127.0.0.1:8421',
  certificateAuthority: 'PEM',
  token: 'sp_1',
  namespace: 'team',
};
const file = 'config';
const merge = (text: string, use = false) => mergeText(text, access, { file, use });

const ours = {
  clusters: [
    {
      name: 'sandport',
      cluster: { server: access.server, 'certificate-authority-data': 'UEVN' },
    },
  ],
  users: [{ name: 'sandport', user: { token: 'sp_1' } }],
  contexts: [
    {
      name: 'sandport',
      context: { cluster: 'sandport', user: 'sandport', namespace: 'team' },
    },
  ],
};

test.each(['', '\n', '# only a comment\n', '---\n', 'null\n', '{}', 'apiVersion: v1\nclusters:\n'])(
  'into %j: it becomes the current context',
  (text) => {
    const merged = merge(text);
    expect(parse(merged.text)).toMatchObject({ ...ours, 'current-context': 'sandport' });
    expect(merged.currentContext).toBe('sandport');
    if (text.includes('#')) expect(merged.text).toContain('# only a comment');
  },
);

const old = `# mine
apiVersion: v1
kind: Config
clusters:
- name: old # the old one
  cluster: {server: "https://old"}
- name: sandport
  cluster:
    server: https://gone
    insecure-skip-tls-verify: true
contexts:
- {name: old, context: {cluster: old, user: old}}
users:
- name: old
  user:
    exec: {command: aws, args: [a, b]}
current-context: old
extensions: [{name: x, extension: {a: 1}}]
`;

test('other entries, fields and comments stay; an entry of the name is replaced whole', () => {
  const merged = merge(old);
  const before = parse(old);
  const after = parse(merged.text);
  expect(after).toEqual({
    ...before,
    clusters: [before.clusters[0], ...ours.clusters],
    contexts: [...before.contexts, ...ours.contexts],
    users: [...before.users, ...ours.users],
  });
  expect(merged.currentContext).toBe('old');
  expect(merged.text).toContain('# mine');
  expect(merged.text).toContain('# the old one');
  expect(merge(merged.text).text).toBe(merged.text);
  expect(parse(merge(old, true).text)['current-context']).toBe('sandport');
});

test.each([
  ['a: b: c\n', 'line 1'],
  ['apiVersion: v1\nclusters:\n  - name: x\n   cluster: {\n', 'line 4'],
  ['- a\n', 'not a mapping'],
  ['text', 'not a mapping'],
  ['clusters: text\n', '"clusters" is not a list'],
  ['kind: Pod\n', 'kind is "Pod"'],
  ['a: 1\n---\nb: 2\n', 'more than one'],
])('%j is refused', (text, why) => {
  expect(() => merge(text)).toThrow('config is not a kubeconfig: ');
  expect(() => merge(text)).toThrow(why);
});

test('whatever names and values there are, nothing of others is changed', () => {
  const entries = (kind: string) =>
    fc.uniqueArray(
      fc.record({
        name: fc.string({ minLength: 1 }).filter((name) => name !== 'sandport'),
        [kind]: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.boolean(), fc.integer())),
      }),
      { selector: ({ name }) => name, maxLength: 4 },
    );
  const config = fc.record({
    clusters: entries('cluster'),
    users: entries('user'),
    contexts: entries('context'),
  });
  fc.assert(
    fc.property(config, (before) => {
      const text = stringify(before);
      const known = parse(text);
      const after = parse(merge(text).text);
      for (const list of ['clusters', 'users', 'contexts'] as const) {
        expect(after[list]).toEqual([...known[list], ...ours[list]]);
      }
      const names = Object.values(before).flatMap((list) => list.map(({ name }) => name));
      expect(otherEntries(text, 'sandport', file)).toHaveLength(names.length);
    }),
  );
});
