import { z } from 'zod';

/** Answer of `GET /v1/kubernetes`: what a client of Kubernetes has to know beside its API key. */
export const kubernetesSchema = z.object({
  server: z.string().describe('Address of the Kubernetes API, as `https://127.0.0.1:8421`.'),
  certificate_authority: z.string().describe('PEM of the authority that vouches for it.'),
  namespaces: z
    .array(z.string())
    .nullable()
    .describe('Namespaces that the API key may use; null: all.'),
  router: z.string().describe('Address of the router to sandboxes, for clients with an API key.'),
  gateway: z
    .string()
    .optional()
    .describe('Address of the same router on this machine, without a key.'),
});
export type KubernetesObject = z.infer<typeof kubernetesSchema>;
