import { type CommandObject, commandSchema } from '@sandport/protocol';
import { z } from 'zod';
import { type Api, json } from '../harness/index.ts';
import { EventSource } from '../watch/event-source.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The routes of kept commands, every answer checked. */
export class KeptApi {
  readonly api: Api;
  readonly path: string;

  constructor(api: Api, sandbox: string) {
    this.api = api;
    this.path = `/v1/sandboxes/${sandbox}/commands`;
  }

  /** A string runs under the shell. */
  async start(what: string | readonly string[], fields: Fields = {}): Promise<CommandObject> {
    const body = { ...(typeof what === 'string' ? { cmd: what } : { args: what }), ...fields };
    return commandSchema.parse(json(await this.api.sendJson('POST', this.path, body), 201));
  }

  async get(id: string, query = ''): Promise<CommandObject> {
    const answer = await this.api.send('GET', `${this.path}/${id}${query}`, { timeoutMs: 70_000 });
    return commandSchema.parse(json(answer, 200));
  }

  /** How it ended; within a minute. */
  async end(id: string): Promise<CommandObject> {
    const command = await this.get(id, '?wait_seconds=60');
    if (command.status === 'running') throw new Error(`the command ${id} runs on`);
    return command;
  }

  async list(query = ''): Promise<CommandObject[]> {
    const answer = await this.api.send('GET', `${this.path}${query}`);
    return z.array(commandSchema).parse(json(answer, 200));
  }

  /** Any request about one, whatever the answer. */
  send(method: string, id: string, route = '', body?: string | Buffer) {
    const options = body === undefined ? {} : { body };
    return this.api.send(method, `${this.path}/${id}${route}`, options);
  }

  sendJson(id: string, route: string, body: unknown) {
    return this.api.sendJson('POST', `${this.path}/${id}${route}`, body);
  }

  /** All that is kept of a stream, read page by page. */
  async output(id: string, stream: 'stdout' | 'stderr' = 'stdout', limit = ''): Promise<Buffer> {
    const pages: Buffer[] = [];
    for (let since = 0; ; ) {
      const answer = await this.send('GET', id, `/output?stream=${stream}&since=${since}${limit}`);
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
      if (answer.body.length === 0) return Buffer.concat(pages);
      pages.push(answer.body);
      since = Number(answer.headers['x-sandport-next-offset']);
    }
  }

  follow(id: string, query = '', headers: Readonly<Record<string, string>> = {}) {
    return EventSource.open(this.api, `${this.path}/${id}/output?follow=1${query}`, headers);
  }
}
