/** Addresses of one pod network, as whole numbers. */
export interface AddressRange {
  /** As `127.66.0.0/16`. */
  readonly name: string;
  readonly first: number;
  readonly size: number;
}

/** Where the router listens: `.0.1` of a range of 65,536. */
export const gatewayOffset = 1;
/** The first address of a sandbox: what is before is kept for the network itself. */
export const firstPodOffset = 16;

/** The ranges that `auto` tries, in their order. */
export const automaticRanges: readonly AddressRange[] = Array.from({ length: 30 }, (_, index) =>
  parseRange(`127.${66 + index}.0.0/16`),
);

/**
 * Reads a range as `127.66.0.0/16`, of at least 32 addresses.
 * @throws Error with a sentence for people
 */
export function parseRange(text: string): AddressRange {
  const match = /^(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\/(\d{1,2})$/.exec(text);
  const [, address = '', bits = ''] = match ?? [];
  const octets = address.split('.').map(Number);
  const prefix = Number(bits);
  const isAddress = match !== null && octets.every((octet) => octet <= 255);
  if (!isAddress || octets[0] !== 127 || prefix < 8 || prefix > 27)
    throw new Error(`${text} is no pod network; it must lie in 127.0.0.0/8 and end in /8 to /27.`);
  const size = 2 ** (32 - prefix);
  const number = toNumber(address);
  if (number % size !== 0) throw new Error(`${text} is no range: its address has host bits.`);
  return { name: text, first: number, size };
}

/** The address at an offset of the range. */
export const addressAt = ({ first }: AddressRange, offset: number): string => {
  const number = first + offset;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
};

/** The offset of an address that a sandbox of this range may have; undefined for any other. */
export function podOffset(range: AddressRange, address: string): number | undefined {
  if (!/^127(?:\.\d{1,3}){3}$/.test(address)) return undefined;
  const offset = toNumber(address) - range.first;
  return offset >= firstPodOffset && offset < range.size - 1 ? offset : undefined;
}

function toNumber(address: string): number {
  return address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}
