import { InvalidArgumentError } from 'commander';
import type { SandboxNetwork } from 'sandport';

/** Reads `none`, `all`, or `allow=example.com,10.1.2.0/24`; `all,10.1.2.0/24` opens addresses, too. */
export function network(text: string): SandboxNetwork {
  if (text === 'none') return { egress: 'none' };
  if (text === 'all') return { egress: 'all' };
  const [, kind, list = ''] = /^(allow=|all,)(.+)$/.exec(text) ?? [];
  const allow = list.split(',').map((rule) => rule.trim());
  if (kind === undefined || allow.includes(''))
    throw new InvalidArgumentError('It must be none, all, or allow=HOST,HOST:PORT,NETWORK.');
  return { egress: kind === 'all,' ? 'all' : 'allowlist', allow };
}

/** The same for the most that sandboxes may have; `allow` is any list. */
export function networkBound(text: string): SandboxNetwork {
  if (text === 'allow') return { egress: 'allowlist' };
  if (text.startsWith('all,'))
    throw new InvalidArgumentError('It must be none, all, allow, or allow=HOST,HOST:PORT,NETWORK.');
  return network(text);
}
