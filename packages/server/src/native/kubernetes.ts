import { SandportFault } from '@sandport/protocol';
import type { Route } from '../http/router.ts';

/** How clients of Kubernetes reach the daemon. */
export interface KubernetesAccess {
  /** PEM. */
  readonly certificateAuthority: string;
  /**
   * Addresses for a client that reached the API by this value of `Host`; undefined: they are not
   * listened for.
   */
  addresses(host: string | undefined): KubernetesAddresses | undefined;
}

export interface KubernetesAddresses {
  /** As `https://127.0.0.1:8421`. */
  readonly server: string;
  readonly router: string;
  readonly gateway?: string | undefined;
}

/** What a client of Kubernetes has to know beside its key. */
export const kubernetesRoutes = ({
  kubernetes,
}: {
  kubernetes?: KubernetesAccess | undefined;
}): Route[] => [
  {
    method: 'GET',
    path: '/v1/kubernetes',
    handle: (exchange) => {
      const addresses = kubernetes?.addresses(exchange.request.headers.host);
      if (kubernetes === undefined || addresses === undefined)
        throw new SandportFault(
          'kubernetes_off',
          'This daemon does not listen for clients of Kubernetes.',
        );
      const { server, router, gateway } = addresses;
      const { namespaces } = exchange.principal;
      exchange.json(200, {
        server,
        certificate_authority: kubernetes.certificateAuthority,
        namespaces: namespaces === undefined ? null : [...namespaces],
        router,
        ...(gateway === undefined ? {} : { gateway }),
      });
    },
  },
];
