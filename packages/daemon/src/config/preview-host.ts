import type { PreviewHostSetting } from '@sandport/server';
import { z } from 'zod';

export type { PreviewHostSetting };

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const pattern = new RegExp(`^(${label}(?:\\.${label})*)(?::(\\d{1,5}))?$`);

/** As `localhost` or `previews.example.com:443`. */
export const previewHostSchema = z
  .string()
  .max(200)
  .toLowerCase()
  .regex(pattern, 'must look like previews.example.com or previews.example.com:443')
  // All of digits at the end is an address: there are no names below it.
  .refine((text) => !/(?:^|\.)\d+(?::|$)/.test(text), 'must be a domain, not an address')
  .refine((text) => Number(pattern.exec(text)?.[2] ?? 1) <= 65_535, 'a port is at most 65535')
  .transform((text): PreviewHostSetting => {
    const [, suffix = '', port] = pattern.exec(text) ?? [];
    return { suffix, ...(port === undefined ? {} : { port: Number(port) }) };
  });
