import { OpenFailure, type Refusal } from '../library/protocol-inside.ts';
import { maxChannels } from './open-channels.ts';

/** Why channels are refused, as programs of SSH show it to their users. */

export const noLongerAllowed: Refusal = {
  code: OpenFailure.prohibited,
  sentence: 'the key of this connection no longer reaches the sandbox',
};

export const tooManyChannels: Refusal = {
  code: OpenFailure.noRoom,
  sentence: `this connection has ${maxChannels} channels already; close some or connect once more`,
};

export const onlyOwnPorts: Refusal = {
  code: OpenFailure.prohibited,
  sentence: "only ports of the sandbox's own localhost are forwarded to",
};

export const onlyPorts: Refusal = {
  code: OpenFailure.prohibited,
  sentence: 'UNIX sockets are not forwarded; let the program listen on a port of localhost',
};
