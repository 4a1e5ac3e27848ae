import type { Duplex } from 'node:stream';
import type { RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import type { ProcessService } from './process-service.ts';

/** The process service, with the gRPC library loaded for the first connection: few see one. */
export class LazyProcessService implements Disposable {
  readonly #options: Pick<RuntimeOptions, 'engine'>;
  #loading: Promise<ProcessService> | undefined;
  #service: ProcessService | undefined;
  #disposed = false;

  constructor(options: Pick<RuntimeOptions, 'engine'>) {
    this.#options = options;
  }

  /** Serves a connection until it ends. */
  accept(socket: Duplex, target: RuntimeTarget): void {
    socket.on('error', () => socket.destroy());
    this.#loading ??= this.#load();
    this.#loading.then(
      (service) => {
        if (this.#disposed) socket.destroy();
        else if (!socket.destroyed) service.accept(socket, target);
      },
      () => socket.destroy(),
    );
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#service?.[Symbol.dispose]();
  }

  async #load(): Promise<ProcessService> {
    const { ProcessService } = await import('./process-service.ts');
    this.#service = new ProcessService(this.#options);
    return this.#service;
  }
}
