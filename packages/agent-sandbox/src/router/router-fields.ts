import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Refusal } from '../runtimes/answers.ts';

/** Where the headers of a request for the router lead. */
export interface RouterFields {
  readonly id: string;
  readonly namespace: string;
  readonly port: number;
  /** Address that the client believes to be the sandbox's. */
  readonly podAddress: string | undefined;
}

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const defaultPort = 8888;

const refuse = (detail: string): Refusal => new Refusal(400, { detail });

/** Reads the `X-Sandbox-…` fields. @throws Refusal 400 */
export function routerFieldsOf({ headers }: IncomingMessage): RouterFields {
  const id = oneOf(headers['x-sandbox-id']);
  if (id === undefined || id === '') throw refuse('X-Sandbox-ID header is required.');
  if (!label.test(id)) throw refuse('Invalid sandbox ID format.');
  const namespace = oneOf(headers['x-sandbox-namespace']) ?? 'default';
  if (!label.test(namespace)) throw refuse('Invalid namespace format.');
  const portText = oneOf(headers['x-sandbox-port']) ?? String(defaultPort);
  const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) throw refuse('Invalid port format.');
  const podAddress = oneOf(headers['x-sandbox-pod-ip']);
  if (podAddress !== undefined && isIP(podAddress) === 0) throw wrongAddress();
  return { id, namespace, port, podAddress };
}

/** `X-Sandbox-Pod-IP` is not an address of the sandbox. */
export const wrongAddress = (): Refusal => refuse('Invalid target IP address.');

/** Node joins a repeated field with commas, which no value may have. */
const oneOf = (field: string | string[] | undefined): string | undefined =>
  Array.isArray(field) ? field.join(',') : field;
