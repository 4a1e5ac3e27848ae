import { Status } from '../protocol/constants.ts';
import { statusPacket } from '../protocol/responses.ts';

export const done = (id: number): Buffer => statusPacket(id, Status.ok, 'Done.');

export const noSuchHandle = (id: number): Buffer =>
  statusPacket(id, Status.failure, 'No such handle is open.');

export const tooManyHandles = (id: number): Buffer =>
  statusPacket(id, Status.failure, 'Too many files are open on this connection; close some.');
