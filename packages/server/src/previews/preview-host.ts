import type { IncomingMessage } from 'node:http';
import { addressOf } from '../links/link-address.ts';

/** Where previews have their addresses: `http://PORT-ID.SUFFIX:PORT/`. */
export interface PreviewHostSetting {
  /** As `localhost` or `previews.example.com`. */
  readonly suffix: string;
  /** @default the port at which a client reaches the API */
  readonly port?: number | undefined;
}

/** A port of a sandbox. */
export interface PreviewedPort {
  readonly sandbox: string;
  readonly port: number;
}

const label = /^([1-9]\d{0,4})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** What a `Host` field leads to; undefined when it is not that of a preview. */
export function portOfHost(
  host: string | undefined,
  { suffix }: PreviewHostSetting,
): PreviewedPort | undefined {
  const name = host?.replace(/:\d{1,5}$/, '').toLowerCase() ?? '';
  if (!name.endsWith(`.${suffix}`)) return undefined;
  const [, port = '', sandbox = ''] = label.exec(name.slice(0, -suffix.length - 1)) ?? [];
  return sandbox === '' || Number(port) > 65_535 ? undefined : { port: Number(port), sandbox };
}

/** Address of a preview for the client of this request, ending with a slash. Only for telling it. */
export function addressOfPort(
  request: IncomingMessage,
  { port, sandbox }: PreviewedPort,
  setting: PreviewHostSetting,
): string {
  const [, scheme = 'http', given] =
    /^(https?):.*?(?::(\d{1,5}))?$/.exec(addressOf(request, '')) ?? [];
  const shown = setting.port ?? given;
  return `${scheme}://${port}-${sandbox}.${setting.suffix}${shown === undefined ? '' : `:${shown}`}/`;
}
