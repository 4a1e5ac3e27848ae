export { answerBody } from './http/answer-body.ts';
export { attachment } from './links/content-disposition.ts';
export { Exchange } from './http/exchange.ts';
export { sendJsonPieces } from './http/json-stream.ts';
export { receiveBody, type ReceiveBodyOptions } from './http/receive-body.ts';
export { answerWithFile } from './native/files/read-file.ts';
export type { Route } from './http/router.ts';
export { nativeRoutes } from './native/routes.ts';
export { HttpServer, type ServerOptions } from './server.ts';
