import { KubeError } from '../../objects/kube-error.ts';

/** A message's fields by their numbers. */
export interface Shape {
  readonly [number: number]: Field;
}

export interface Field {
  readonly name: string;
  readonly type: 'text' | 'bytes' | 'number' | 'flag' | 'map' | Shape;
  readonly repeated?: boolean;
}

interface RawField {
  readonly number: number;
  /** Of a varint; else of the bytes, which are empty then. */
  readonly value: number;
  readonly bytes: Buffer;
}

const maxDepth = 8;

/**
 * What a message of protocol buffers says, of the fields that are known.
 * @throws KubeError `BadRequest`
 */
export function readMessage(bytes: Buffer, shape: Shape, depth = 0): Record<string, unknown> {
  if (depth > maxDepth) throw malformed();
  const message = new Map<string, unknown>();
  const maps = new Map<string, Map<string, unknown>>();
  const lists = new Map<string, unknown[]>();
  for (const raw of rawFields(bytes)) {
    const field = shape[raw.number];
    if (field === undefined) continue;
    const { name, type } = field;
    if (type === 'map') {
      const { key = '', value = '' } = readMessage(raw.bytes, mapEntry, depth + 1);
      const map = maps.get(name) ?? new Map<string, unknown>();
      maps.set(name, map.set(String(key), value));
    } else if (field.repeated === true) {
      const list = lists.get(name) ?? [];
      list.push(valueOf(raw, type, depth));
      lists.set(name, list);
    } else {
      message.set(name, valueOf(raw, type, depth));
    }
  }
  for (const [name, map] of maps) message.set(name, Object.fromEntries(map));
  return Object.fromEntries([...message, ...lists]);
}

const mapEntry: Shape = { 1: { name: 'key', type: 'text' }, 2: { name: 'value', type: 'text' } };

function valueOf({ bytes, value }: RawField, type: Exclude<Field['type'], 'map'>, depth: number) {
  if (type === 'text') return bytes.toString('utf8');
  if (type === 'bytes') return bytes;
  if (type === 'number') return value;
  if (type === 'flag') return value !== 0;
  return readMessage(bytes, type, depth + 1);
}

/** @throws KubeError `BadRequest` */
function* rawFields(bytes: Buffer): Generator<RawField> {
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, value: reader.varint(), bytes: Buffer.alloc(0) };
        break;
      case 1:
        yield { number, value: 0, bytes: reader.take(8) };
        break;
      case 2:
        yield { number, value: 0, bytes: reader.take(reader.varint()) };
        break;
      case 5:
        yield { number, value: 0, bytes: reader.take(4) };
        break;
      default:
        throw malformed();
    }
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Numbers beyond 2^53 lose their last digits: nothing that is read here has them. */
  varint(): number {
    let value = 0;
    for (let position = 0; position < 10; position += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw malformed();
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** (7 * position);
      if (byte < 0x80) return value;
    }
    throw malformed();
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed();
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

const malformed = (): KubeError =>
  new KubeError('BadRequest', 'the body is no message of protocol buffers');
