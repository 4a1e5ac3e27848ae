const nsPerSecond = 1_000_000_000n;

/** Nanoseconds since 1970 of seconds as text, with up to nine decimals, as the API writes times. */
export function timeNsOf(text: string): bigint {
  const [seconds = '0', decimals = ''] = text.split('.');
  const fraction = BigInt(decimals.padEnd(9, '0'));
  const whole = BigInt(seconds) * nsPerSecond;
  return text.startsWith('-') ? whole - fraction : whole + fraction;
}
