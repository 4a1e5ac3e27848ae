import type { Engine } from '@sandport/engine';
import { type CreatedLink, createLinkSchema } from '@sandport/protocol';
import { readJson } from '../../http/read-json.ts';
import type { Route } from '../../http/router.ts';
import { addressOf } from '../../links/link-address.ts';
import { answerLinkOptions, downloadByLink, uploadByLink } from '../../links/use-link.ts';

const links = '/v1/sandboxes/:id/fs/links';
/** Whoever knows the token needs no key. */
const open = { path: '/v1/links/:token', open: true } as const;

/** Links that download or upload one file without a key. */
export const linkRoutes = (engine: Engine, options: { idleTimeoutMs: number }): Route[] => [
  {
    method: 'POST',
    path: links,
    handle: async (exchange) => {
      const request = await readJson(exchange, createLinkSchema);
      const { principal } = exchange;
      const { object, token } = engine.links.create(principal, exchange.param('id'), request);
      const urlPath = `/v1/links/${token}`;
      const created: CreatedLink = {
        ...object,
        url: addressOf(exchange.request, urlPath),
        url_path: urlPath,
      };
      exchange.json(201, created, { 'Cache-Control': 'no-store' });
    },
  },
  {
    method: 'GET',
    path: links,
    handle: (exchange) =>
      exchange.json(200, engine.links.list(exchange.principal, exchange.param('id'))),
  },
  {
    method: 'DELETE',
    path: `${links}/:link`,
    handle: (exchange) => {
      engine.links.remove(exchange.principal, exchange.param('id'), exchange.param('link'));
      exchange.empty();
    },
  },
  { ...open, method: 'GET', handle: (exchange) => downloadByLink(exchange, engine) },
  { ...open, method: 'HEAD', handle: (exchange) => downloadByLink(exchange, engine) },
  { ...open, method: 'PUT', handle: (exchange) => uploadByLink(exchange, engine, options) },
  { ...open, method: 'OPTIONS', handle: answerLinkOptions },
];
