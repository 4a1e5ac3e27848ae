/** What a kubeconfig says of a daemon. */
export interface KubeAccess {
  /** Name of the cluster, the user and the context. */
  readonly name: string;
  /** As `https://127.0.0.1:8421`. */
  readonly server: string;
  /** PEM of the authority that vouches for the server. */
  readonly certificateAuthority: string;
  readonly token: string;
  /** Where commands work that name no other. */
  readonly namespace: string;
}

/** An entry of one of the lists of a kubeconfig; `kind` names what it holds. */
export interface KubeEntry {
  readonly list: 'clusters' | 'users' | 'contexts';
  readonly kind: 'cluster' | 'user' | 'context';
  readonly value: Readonly<Record<string, string>>;
}

/** The entries for a daemon; all three have its name. */
export const entriesOf = (access: KubeAccess): readonly KubeEntry[] => [
  {
    list: 'clusters',
    kind: 'cluster',
    value: {
      server: access.server,
      'certificate-authority-data': Buffer.from(access.certificateAuthority).toString('base64'),
    },
  },
  { list: 'users', kind: 'user', value: { token: access.token } },
  {
    list: 'contexts',
    kind: 'context',
    value: { cluster: access.name, user: access.name, namespace: access.namespace },
  },
];

/** A kubeconfig with nothing else in it. */
export function kubeconfigOf(access: KubeAccess): Record<string, unknown> {
  const lists = entriesOf(access).map(({ list, kind, value }) => [
    list,
    [{ name: access.name, [kind]: value }],
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Config',
    ...Object.fromEntries(lists),
    'current-context': access.name,
    preferences: {},
  };
}
