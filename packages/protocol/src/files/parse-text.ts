/** Permission bits of text that `modeTextSchema` accepts. */
export const parseModeText = (text: string): number => Number.parseInt(text, 8);

/** Nanoseconds since 1970 of text that `timeTextSchema` accepts, exactly. */
export function parseTimeText(text: string): bigint {
  const [seconds = '', fraction = ''] = text.split('.');
  const fractionNs = BigInt(fraction.padEnd(9, '0'));
  const secondsNs = BigInt(seconds) * 1_000_000_000n;
  return text.startsWith('-') ? secondsNs - fractionNs : secondsNs + fractionNs;
}
