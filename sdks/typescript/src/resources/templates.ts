import {
  type TemplateBuild,
  templateBuildSchema,
  type TemplateObject,
  templateSchema,
} from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';
import { buildLogs, buildPath } from './build-logs.ts';
import { buildBody, type BuildOptions, type StartBuildOptions } from './template-options.ts';
import { uploadArchive } from './upload-archive.ts';

/** What sandboxes start from. Only an administrator makes or deletes one. */
export class Templates {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list({ signal }: SignalOptions = {}): Promise<TemplateObject[]> {
    return this.#transport.json(
      { method: 'GET', path: '/v1/templates', signal },
      templateSchema.array(),
    );
  }

  /** By name or alias. @throws NotFoundError */
  get(name: string, { signal }: SignalOptions = {}): Promise<TemplateObject> {
    return this.#transport.json(
      { method: 'GET', path: templatePath(name), signal },
      templateSchema,
    );
  }

  /**
   * Builds a template and waits for it, for as long as it takes. The signal cancels the build.
   * @throws BadRequestError `invalid_image`; ConflictError `template_exists` without `replace`;
   * ServerError `template_build_failed`
   *
   * @example
   * await client.templates.build('alpine', { image: 'docker.io/library/alpine:3.20' });
   */
  async build(name: string, { onLog, ...options }: BuildOptions = {}): Promise<TemplateObject> {
    const { signal } = options;
    const { id } = await this.startBuild(name, options);
    const log = this.buildLogs(id, { signal });
    try {
      for (;;) {
        const { done, value } = await log.next();
        if (done === true) return value;
        onLog?.(value);
      }
    } catch (error) {
      if (signal?.aborted === true) await this.cancelBuild(id).catch(() => {});
      throw error;
    }
  }

  /** Begins a build, after sending `archiveFile`; `buildLogs` follows it. */
  async startBuild(name: string, options: StartBuildOptions = {}): Promise<TemplateBuild> {
    const { archiveFile, signal } = options;
    const transport = this.#transport;
    const upload =
      archiveFile === undefined ? undefined : await uploadArchive(transport, archiveFile, options);
    const json = buildBody(name, options, upload);
    return transport.json(
      { method: 'POST', path: '/v1/templates/build', json, signal },
      templateBuildSchema,
    );
  }

  /**
   * The log of a build, line by line from its beginning, until it ends.
   * @throws what the build failed with; NotFoundError for one of another run of the daemon
   */
  buildLogs(
    id: string,
    options: SignalOptions = {},
  ): AsyncGenerator<string, TemplateObject, undefined> {
    return buildLogs(this.#transport, id, options);
  }

  /** Builds since the daemon started, newest first. @param options.name of this template only */
  builds({
    name,
    signal,
  }: SignalOptions & { name?: string | undefined } = {}): Promise<TemplateBuild[]> {
    const query = { name };
    return this.#transport.json(
      { method: 'GET', path: '/v1/templates/builds', query, signal },
      templateBuildSchema.array(),
    );
  }

  /** @throws NotFoundError */
  getBuild(id: string, { signal }: SignalOptions = {}): Promise<TemplateBuild> {
    return this.#transport.json(
      { method: 'GET', path: buildPath(id), signal },
      templateBuildSchema,
    );
  }

  /** Ends a build that is under way; nothing of it stays. */
  async cancelBuild(id: string, { signal }: SignalOptions = {}): Promise<void> {
    await this.#transport.drain({ method: 'DELETE', path: buildPath(id), signal });
  }

  /** Deletes a template; sandboxes that stand on it keep it. @throws NotFoundError */
  async delete(name: string, { signal }: SignalOptions = {}): Promise<void> {
    await this.#transport.drain({ method: 'DELETE', path: templatePath(name), signal });
  }
}

const templatePath = (name: string) => `/v1/templates/${encodeURIComponent(name)}`;
