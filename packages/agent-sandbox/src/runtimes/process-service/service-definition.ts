import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

const directory = fileURLToPath(new URL('../../../proto', import.meta.url));

let loaded: ServiceDefinition | undefined;

/** The service, read from its file at the first use. */
export function processServiceDefinition(): ServiceDefinition {
  loaded ??= serviceOf(
    loadSync('process/v1/process.proto', {
      includeDirs: [directory],
      keepCase: false,
      enums: Number,
      longs: Number,
      defaults: true,
      oneofs: true,
    }),
  );
  return loaded;
}

function serviceOf(definitions: PackageDefinition): ServiceDefinition {
  const service = definitions['process.v1.ProcessService'];
  if (service === undefined || 'format' in service)
    throw new Error('the file of the process service has no such service');
  return service;
}
