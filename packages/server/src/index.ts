export { answerBody } from './http/answer-body.ts';
export { attachment } from './links/content-disposition.ts';
export { apiKeyOf, passwordOf } from './http/api-key-of.ts';
export { Exchange, expectsContinue, requestIdOf } from './http/exchange.ts';
export { connectionOptions, Listener } from './http/listener.ts';
export type { Mount } from './http/mount.ts';
export { sendJsonPieces } from './http/json-stream.ts';
export { readText } from './http/read-json.ts';
export {
  AnswerTimeoutError,
  BadAnswerError,
  type Destination,
} from './proxy/destination.ts';
export { endToEndFields } from './proxy/fields.ts';
export type { PreviewHostSetting } from './previews/preview-host.ts';
export { proxyRequest } from './proxy/proxy-request.ts';
export { proxyUpgrade } from './proxy/proxy-upgrade.ts';
export { receiveBody, type ReceiveBodyOptions } from './http/receive-body.ts';
export { answerWithFile } from './native/files/read-file.ts';
export { type LoggedRequest, logWhenDone } from './http/request-log.ts';
export type { Route } from './http/router.ts';
export type { Upgrade } from './http/upgrade.ts';
export type { KubernetesAccess } from './native/kubernetes.ts';
export type { SshAccess } from './native/ssh.ts';
export { nativeRoutes } from './native/routes.ts';
export { tellWhenWoken } from './native/waking.ts';
export { HttpServer, type ServerOptions } from './server.ts';
