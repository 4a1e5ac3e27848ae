import { templateSchema } from '@sandport/protocol';
import { z } from 'zod';
import { type Api, type ErrorAnswer, json } from './api.ts';

export type Template = z.infer<typeof templateSchema>;

/** How a build ended, with its log. */
export interface BuiltTemplate {
  readonly log: readonly string[];
  readonly template?: Template;
  readonly fault?: ErrorAnswer;
}

const faultSchema = z.looseObject({ error: z.string(), code: z.string() });

/** Builds a template and waits for its end. An answer without a log counts as a fault. */
export async function build(
  api: Api,
  fields: Readonly<Record<string, unknown>>,
): Promise<BuiltTemplate> {
  const answer = await api.sendJson('POST', '/v1/templates/build', fields, { timeoutMs: 240_000 });
  if (answer.status !== 200)
    return { log: [], fault: faultSchema.parse(JSON.parse(answer.body.toString())) };
  return readBuild(answer.body.toString());
}

/** What the stream of a build's log says. */
export function readBuild(text: string): BuiltTemplate {
  const log: string[] = [];
  for (const [, event, data] of text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)) {
    const value: unknown = JSON.parse(data ?? '');
    if (event === 'log') log.push(z.object({ line: z.string() }).parse(value).line);
    if (event === 'done') return { log, template: templateSchema.parse(value) };
    if (event === 'error') return { log, fault: faultSchema.parse(value) };
  }
  return { log };
}

/** Builds a template that must come about. */
export async function buildWell(
  api: Api,
  fields: Readonly<Record<string, unknown>>,
): Promise<Template> {
  const { template, fault, log } = await build(api, fields);
  if (template !== undefined) return template;
  throw new Error(`${fault?.code}: ${fault?.error}\n${log.slice(-10).join('\n')}`);
}

export async function templateNames(api: Api): Promise<string[]> {
  const all = z.array(templateSchema).parse(json(await api.send('GET', '/v1/templates'), 200));
  return all.map(({ name }) => name);
}
