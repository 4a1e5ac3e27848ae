import { type HttpResponse, Upload, type UploadOptions } from 'tus-js-client';
import type { TestDaemon } from '../harness/index.ts';

export type Source = ConstructorParameters<typeof Upload>[0];

/** What the stock client is told, with this daemon's address and key. */
export function tusOptions(
  daemon: TestDaemon,
  sandbox: string,
  path: string,
  options: Partial<UploadOptions> = {},
): UploadOptions {
  return {
    endpoint: `${daemon.url}/v1/sandboxes/${sandbox}/uploads`,
    headers: { Authorization: `Bearer ${daemon.apiKey}` },
    retryDelays: null,
    storeFingerprintForResuming: false,
    removeFingerprintOnSuccess: true,
    ...options,
    metadata: { path, ...options.metadata },
  };
}

export interface TusOutcome {
  readonly upload: Upload;
  /** Header fields of the last answer. */
  readonly last: HttpResponse | undefined;
}

/** Uploads with the stock client; resolves when it says that all is done. */
export function tusUpload(source: Source, options: UploadOptions): Promise<TusOutcome> {
  return new Promise((resolve, reject) => {
    let last: HttpResponse | undefined;
    const upload = new Upload(source, {
      ...options,
      onAfterResponse: (_request, response) => {
        last = response;
      },
      onSuccess: () => resolve({ upload, last }),
      onError: reject,
    });
    upload.start();
  });
}
