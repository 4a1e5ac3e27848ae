import type { Duplex } from 'node:stream';
import {
  type handleUnaryCall,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { RuntimeEngine, RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import { resizeTty, sendSignal, writeStdin } from './control-process.ts';
import { type ExecuteCall, executeProcess } from './execute-process.ts';
import type { ResizeTtyRequest, SendSignalRequest, WriteStdinRequest } from './messages.ts';
import { ProcessTable } from './process-table.ts';
import { processServiceDefinition } from './service-definition.ts';
import { type StartCall, startProcess } from './start-process.ts';
import { asStatus } from './status-error.ts';

const serverOptions = {
  'grpc.enable_channelz': 0,
  'grpc.max_concurrent_streams': 128,
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
};

/** gRPC's `process.v1.ProcessService`, on connections that lead to one sandbox each. */
export class ProcessService implements Disposable {
  readonly #engine: RuntimeEngine;
  readonly #table = new ProcessTable();
  readonly #open = new Set<Duplex>();

  constructor({ engine }: Pick<RuntimeOptions, 'engine'>) {
    this.#engine = engine;
  }

  /** Serves a connection until it ends. */
  accept(socket: Duplex, target: RuntimeTarget): void {
    // gRPC does not tell a handler on which connection a call came: so each has a server of its own.
    const server = new Server(serverOptions);
    server.addService(processServiceDefinition(), this.#handlers(target));
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#open.delete(socket);
      injector.destroy();
      server.forceShutdown();
    });
    injector.injectConnection(socket);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#open) socket.destroy();
  }

  #handlers(target: RuntimeTarget): UntypedServiceImplementation {
    const { sandboxId } = target.sandbox;
    const table = this.#table;
    return {
      Start: (call: StartCall) => {
        startProcess(this.#engine, table, target, call).catch((error: unknown) =>
          call.emit('error', asStatus(error)),
        );
      },
      Execute: unary((call: ExecuteCall) => executeProcess(this.#engine, target, call)),
      WriteStdin: unary(async ({ request }: ServerUnaryCall<WriteStdinRequest, object>) => {
        await writeStdin(table, sandboxId, request);
        return {};
      }),
      SendSignal: unary(async ({ request }: ServerUnaryCall<SendSignalRequest, object>) => {
        sendSignal(table, sandboxId, request);
        return {};
      }),
      ResizeTTY: unary(async ({ request }: ServerUnaryCall<ResizeTtyRequest, object>) => {
        resizeTty(table, sandboxId, request);
        return {};
      }),
    };
  }
}

/** A handler that answers when the work is done. */
const unary =
  <Request, Response>(
    work: (call: ServerUnaryCall<Request, Response>) => Promise<Response>,
  ): handleUnaryCall<Request, Response> =>
  (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) => {
    work(call).then(
      (response) => answer(null, response),
      (error: unknown) => answer(asStatus(error)),
    );
  };
