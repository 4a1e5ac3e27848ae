import { kubernetesSchema } from '../kubernetes.ts';
import { namespaceNetworkSchema, setNamespaceNetworkSchema } from '../network/index.ts';
import { poolSchema, setPoolSchema } from '../pool.ts';
import { quotaSchema, setQuotaSchema } from '../quota.ts';
import type { Operation } from './operation.ts';
import { arrayOf, json, query } from './parts.ts';

const isolation = query('isolation', 'Left out: the strongest that works here.');

/** What an administrator shares out: sandboxes made ahead, and shares of the machine. */
export const machineOperations: readonly Operation[] = [
  {
    id: 'listPools',
    method: 'get',
    path: '/v1/pools',
    summary: 'All pools of sandboxes that are made ahead.',
    tag: 'pools',
    status: 200,
    response: arrayOf('Pool', poolSchema),
    errors: ['forbidden'],
  },
  {
    id: 'getPool',
    method: 'get',
    path: '/v1/pools/{template}',
    summary: 'One pool.',
    tag: 'pools',
    parameters: [isolation],
    status: 200,
    response: json('Pool', poolSchema),
    errors: ['pool_not_found', 'forbidden'],
  },
  {
    id: 'setPool',
    method: 'put',
    path: '/v1/pools/{template}',
    summary: 'Makes a pool, or changes its size; it fills in the background.',
    description:
      'A create that asks for no volumes, no snapshot and no limits but those of the template takes a sandbox of the pool. Where the template has a network those that wait have an interface, which lets nothing pass until then, and are for creates with a network, whichever it is.',
    tag: 'pools',
    request: json('SetPool', setPoolSchema),
    status: 200,
    response: json('Pool', poolSchema),
    errors: [
      'unknown_template',
      'template_not_built',
      'isolation_unavailable',
      'limit_reached',
      'forbidden',
    ],
  },
  {
    id: 'deletePool',
    method: 'delete',
    path: '/v1/pools/{template}',
    summary: 'Ends a pool and the sandboxes that wait in it.',
    tag: 'pools',
    parameters: [isolation],
    status: 204,
    errors: ['pool_not_found', 'forbidden'],
  },
  {
    id: 'listQuotas',
    method: 'get',
    path: '/v1/namespaces',
    summary: 'Namespaces with a quota or with sandboxes, and what they use.',
    tag: 'namespaces',
    status: 200,
    response: arrayOf('Quota', quotaSchema),
    errors: [],
  },
  {
    id: 'getQuota',
    method: 'get',
    path: '/v1/namespaces/{namespace}/quota',
    summary: 'The quota of a namespace, and what it uses.',
    tag: 'namespaces',
    status: 200,
    response: json('Quota', quotaSchema),
    errors: ['forbidden'],
  },
  {
    id: 'setQuota',
    method: 'put',
    path: '/v1/namespaces/{namespace}/quota',
    summary: 'Sets the quota of a namespace; what is there already stays.',
    tag: 'namespaces',
    request: json('SetQuota', setQuotaSchema),
    status: 200,
    response: json('Quota', quotaSchema),
    errors: ['forbidden'],
  },
  {
    id: 'getNamespaceNetwork',
    method: 'get',
    path: '/v1/namespaces/{namespace}/network',
    summary: 'What networks the sandboxes of a namespace have by default, and at most.',
    tag: 'namespaces',
    status: 200,
    response: json('NamespaceNetwork', namespaceNetworkSchema),
    errors: ['forbidden'],
  },
  {
    id: 'setNamespaceNetwork',
    method: 'put',
    path: '/v1/namespaces/{namespace}/network',
    summary: 'Sets them; sandboxes that have more than the new bound lose what is beyond it.',
    description:
      'The bound is for all who ask, administrators too. What a sandbox gets is what its request names, else its template, else `default`.',
    tag: 'namespaces',
    request: json('SetNamespaceNetwork', setNamespaceNetworkSchema),
    status: 200,
    response: json('NamespaceNetwork', namespaceNetworkSchema),
    errors: ['forbidden', 'network_unavailable'],
  },
  {
    id: 'kubernetes',
    method: 'get',
    path: '/v1/kubernetes',
    summary: 'How to reach this daemon with clients of Kubernetes.',
    description:
      'The token of such a client is its API key. `sandport kubeconfig` writes it all down.',
    tag: 'daemon',
    status: 200,
    response: json('Kubernetes', kubernetesSchema),
    errors: ['kubernetes_off'],
  },
];
