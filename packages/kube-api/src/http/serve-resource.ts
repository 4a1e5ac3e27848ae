import { KubeError } from '../objects/kube-error.ts';
import type { Verb } from '../objects/resource.ts';
import { groupVersion, resourceKey } from '../objects/resource.ts';
import { patchObject } from '../patch/patch-object.ts';
import { convertObject } from '../schema/convert-object.ts';
import { notFound } from '../store/store-errors.ts';
import { forbidden, type Grant, grantOf } from './access/authorize.ts';
import { visibility, visibleObject } from './access/visible-objects.ts';
import { acceptedForm } from './answers/accepted-form.ts';
import { represent, representList, type View } from './answers/represent.ts';
import { sendAnswer, sendPieces } from './answers/send.ts';
import type { ApiContext, Exchange } from './requests/exchange.ts';
import { flag, oneOf } from './requests/query.ts';
import { readObject } from './requests/read-body.ts';
import { noSuchPath, type ResourceTarget } from './requests/resource-index.ts';
import { adoptObject } from './verbs/adopt-object.ts';
import { createObject } from './verbs/create.ts';
import { deleteOptionsOf } from './verbs/delete-options.ts';
import { listObjects } from './verbs/list.ts';
import { applyPatch, readPatch } from './verbs/patch.ts';
import { removeObject, removeObjects } from './verbs/remove.ts';
import { scaleOf, withScale } from './verbs/scale.ts';
import { checkHasVersion, presentObject, updateObject } from './verbs/update.ts';
import { writeRequestOf } from './verbs/write-options.ts';
import { serveWatch } from './watch/serve-watch.ts';

/** A request for a resource that its sender may make. */
interface Granted {
  readonly context: ApiContext;
  readonly exchange: Exchange;
  readonly target: ResourceTarget;
  readonly view: View;
  readonly grant: Grant;
  readonly warnings: readonly string[];
}

type Handler = (granted: Granted) => Promise<void> | void;

/** @throws KubeError to be answered */
export async function serveResource(
  context: ApiContext,
  exchange: Exchange,
  target: ResourceTarget,
): Promise<void> {
  const { request, query, caller } = exchange;
  const { resource, version, namespace, name, subresource } = target;
  const verb = verbOf(request.method ?? '', target, query);
  const attempt = { verb, resource, namespace, name, subresource };
  const grant = grantOf(caller, attempt, context.sharedNamespace);
  if (grant === undefined) throw forbidden(caller, attempt);
  const served = subresource === 'scale' ? version.scale !== undefined : isServed(target);
  if (!served) throw noSuchPath();
  if (!resource.verbs.includes(verb)) throw notAllowed();

  const view: View = {
    served: target,
    form: subresource === 'scale' ? 'object' : acceptedForm(request.headers.accept),
    includeObject: oneOf(query, 'includeObject', ['None', 'Metadata', 'Object']) ?? 'Metadata',
  };
  const gv = groupVersion(resource.group, version.name);
  const warnings =
    version.deprecated === true
      ? [version.deprecationWarning ?? `${gv} ${resource.kind} is deprecated`]
      : [];
  const handlers = subresource === 'scale' ? scaleHandlers : objectHandlers;
  const handler = handlers[verb];
  if (handler === undefined) throw notAllowed();
  await handler({ context, exchange, target, view, grant, warnings });
}

const isServed = ({ version, subresource }: ResourceTarget): boolean =>
  subresource === undefined || (subresource === 'status' && version.hasStatus);

export const notAllowed = (): KubeError =>
  new KubeError(
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
  );

function verbOf(
  method: string,
  { name, resource, namespace }: ResourceTarget,
  query: URLSearchParams,
): Verb {
  const isPlace = !resource.namespaced || namespace !== undefined;
  switch (method) {
    case 'GET':
      if (name !== undefined) return 'get';
      return flag(query, 'watch') === true ? 'watch' : 'list';
    case 'POST':
      if (name === undefined && isPlace) return 'create';
      break;
    case 'PUT':
      if (name !== undefined) return 'update';
      break;
    case 'PATCH':
      if (name !== undefined) return 'patch';
      break;
    case 'DELETE':
      if (name !== undefined) return 'delete';
      if (isPlace) return 'deletecollection';
      break;
  }
  throw notAllowed();
}

const objectHandlers: Partial<Record<Verb, Handler>> = {
  get: ({ context, exchange, target, view, grant, warnings }) => {
    const object = visibleObject(context, exchange, target, grant);
    if (object === undefined) throw notFound(target.resource, target.name ?? '');
    sendAnswer(exchange.response, { status: 200, body: represent(view, object), warnings });
  },
  list: async ({ context, exchange, target, view, grant, warnings }) => {
    const { request, response, query } = exchange;
    const seen = visibility(context, exchange, target, grant);
    const { objects, metadata } = listObjects(context.store, target.key, seen, query);
    await sendPieces(request, response, representList(view, objects, metadata), warnings);
  },
  watch: ({ context, exchange, target, view, grant, warnings }) => {
    const seen = visibility(context, exchange, target, grant);
    serveWatch(context, exchange, { target, view, visibility: seen, warnings });
  },
  create: async ({ context, exchange, target, view, warnings }) => {
    const sent = await readObject(exchange.request);
    const write = writeRequestOf(exchange);
    const made = createObject(context.store, target, exchange.caller, sent, write);
    sendAnswer(exchange.response, {
      status: 201,
      body: represent(view, made.object),
      warnings: [...warnings, ...made.warnings],
    });
  },
  update: async ({ context, exchange, target, view, warnings }) => {
    const wanted = await readObject(exchange.request);
    const write = writeRequestOf(exchange);
    adoptObject(context, exchange, target);
    const present = presentObject(context.store, target);
    checkHasVersion(target, wanted);
    const update = { target, caller: exchange.caller, present, wanted, isTracked: false };
    const made = updateObject(context.store, update, write);
    sendAnswer(exchange.response, {
      status: 200,
      body: represent(view, made.object),
      warnings: [...warnings, ...made.warnings],
    });
  },
  patch: async ({ context, exchange, target, view, warnings }) => {
    const patch = await readPatch(exchange.request);
    adoptObject(context, exchange, target);
    const made = applyPatch(context.store, target, exchange, patch);
    sendAnswer(exchange.response, {
      status: made.isNew ? 201 : 200,
      body: represent(view, made.object),
      warnings: [...warnings, ...made.warnings],
    });
  },
  delete: async ({ context, exchange, target, view, warnings }) => {
    const options = deleteOptionsOf(exchange.query, await readObject(exchange.request));
    adoptObject(context, exchange, target);
    const { left, status } = removeObject(context.store, target, exchange.caller, options);
    const body = left === undefined ? status : represent({ ...view, form: 'object' }, left);
    sendAnswer(exchange.response, { status: 200, body, warnings });
  },
  deletecollection: async ({ context, exchange, target, view, grant, warnings }) => {
    const { request, response, query, caller } = exchange;
    const options = deleteOptionsOf(query, await readObject(request));
    const seen = visibility(context, exchange, target, grant);
    const { store } = context;
    const objects = await removeObjects(store, target, caller, seen, query, options);
    const metadata = { resourceVersion: String(store.revision) };
    await sendPieces(request, response, representList(view, objects, metadata), warnings);
  },
};

const scaleHandlers: Partial<Record<Verb, Handler>> = {
  get: ({ context, exchange, target, warnings }) => {
    const { before } = presentObject(context.store, target);
    const body = scaleOf(before, scalePathsOf(target));
    sendAnswer(exchange.response, { status: 200, body, warnings });
  },
  update: async ({ context, exchange, target, warnings }) => {
    const scale = await readObject(exchange.request);
    writeScale(context, exchange, target, warnings, () => scale);
  },
  patch: async ({ context, exchange, target, warnings }) => {
    const { type, value } = await readPatch(exchange.request);
    if (type === 'apply') {
      throw new KubeError(
        'UnsupportedMediaType',
        'a scale is changed by a merge patch or a JSON patch',
      );
    }
    writeScale(context, exchange, target, warnings, (scale) =>
      patchObject(target.resource, type === 'strategic' ? 'merge' : type, scale, value),
    );
  },
};

function writeScale(
  { store }: ApiContext,
  exchange: Exchange,
  target: ResourceTarget,
  warnings: readonly string[],
  change: (scale: ReturnType<typeof scaleOf>) => unknown,
): void {
  const paths = scalePathsOf(target);
  const present = presentObject(store, target);
  const wanted = withScale(present.before, change(scaleOf(present.before, paths)), paths);
  const update = { target, caller: exchange.caller, present, wanted, isTracked: false };
  const made = updateObject(store, update, writeRequestOf(exchange));
  const object = convertObject(target.resource, made.object, target.version.name);
  sendAnswer(exchange.response, {
    status: 200,
    body: scaleOf(object, paths),
    warnings: [...warnings, ...made.warnings],
  });
}

function scalePathsOf({ resource, version }: ResourceTarget) {
  if (version.scale === undefined) throw new TypeError(`${resourceKey(resource)} has no scale.`);
  return version.scale;
}
