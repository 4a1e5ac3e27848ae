import type { IncomingMessage } from 'node:http';
import type { Engine, KnownPort } from '@sandport/engine';
import {
  createPreviewTokenSchema,
  exposePortSchema,
  type PortObject,
  type PreviewToken,
  SandportFault,
} from '@sandport/protocol';
import { readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';
import { addressOf } from '../links/link-address.ts';
import { addressOfPort, type PreviewHostSetting } from '../previews/preview-host.ts';
import { portOf } from '../previews/previews.ts';
import { serveTunnel } from '../tunnel/tcp-tunnel.ts';

const ports = '/v1/sandboxes/:id/ports';

/** What listens in sandboxes, and who may reach it. */
export function portRoutes(
  engine: Engine,
  { previewHost }: { readonly previewHost: PreviewHostSetting },
): Route[] {
  const toObject = (request: IncomingMessage, sandbox: string, known: KnownPort): PortObject => ({
    ...known,
    proxy_url: addressOf(request, `/v1/sandboxes/${sandbox}/proxy/${known.port}/`),
    preview_url: addressOfPort(request, { sandbox, port: known.port }, previewHost),
  });
  return [
    {
      method: 'GET',
      path: ports,
      handle: async (exchange) => {
        const { principal, request } = exchange;
        const { id } = engine.sandboxes.get(principal, exchange.param('id'));
        const known = await engine.ports.list(principal, id);
        exchange.json(
          200,
          known.map((each) => toObject(request, id, each)),
        );
      },
    },
    {
      method: 'POST',
      path: ports,
      handle: async (exchange) => {
        const { principal, request } = exchange;
        const { id } = engine.sandboxes.get(principal, exchange.param('id'));
        const exposed = await engine.ports.expose(
          principal,
          id,
          await readJson(exchange, exposePortSchema),
        );
        exchange.json(201, toObject(request, id, exposed));
      },
    },
    {
      method: 'DELETE',
      path: `${ports}/:port`,
      handle: (exchange) => {
        const port = portOf(exchange.param('port'));
        engine.ports.unexpose(exchange.principal, exchange.param('id'), port);
        exchange.empty();
      },
    },
    {
      method: 'GET',
      path: `${ports}/:port/tcp`,
      handle: (exchange) => {
        throw new SandportFault(
          'upgrade_required',
          'This route carries a TCP connection in a WebSocket.',
          { route: exchange.route },
        );
      },
      upgrade: async (upgrade) => {
        const { exchange } = upgrade;
        const port = portOf(exchange.param('port'));
        const { principal, signal } = exchange;
        const sandbox = exchange.param('id');
        await serveTunnel(
          upgrade,
          await engine.ports.connect(principal, sandbox, port, { signal }),
        );
      },
    },
    {
      method: 'POST',
      path: '/v1/sandboxes/:id/preview-token',
      handle: async (exchange) => {
        const wanted = await readJson(exchange, createPreviewTokenSchema);
        const { principal, request } = exchange;
        const { token, sandbox, port, paths, expiresAt } = engine.ports.sign(
          principal,
          exchange.param('id'),
          wanted,
        );
        const created: PreviewToken = {
          url: addressOf(request, `/v1/p/${token}/`),
          preview_url: `${addressOfPort(request, { sandbox, port }, previewHost)}?token=${token}`,
          token,
          sandbox_id: sandbox,
          port,
          paths: [...paths],
          expires_at: expiresAt.toISOString(),
        };
        exchange.json(200, created, { 'Cache-Control': 'no-store' });
      },
    },
  ];
}
