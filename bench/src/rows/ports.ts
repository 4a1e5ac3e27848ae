import { Sandbox } from 'sandport';
import { ByteClient } from '../http-client.ts';
import { tunnels } from '../ports/tunnels.ts';
import { port, serveInside, serveOnHost } from '../ports/web-server.ts';
import type { Measurement } from '../report.ts';
import { interleave, medianOf, timeMs } from '../statistics.ts';
import { memoryGrowthMib, type Row } from '../subject.ts';

/** Requests and TCP to servers in a sandbox; beside it the same web server on the host, asked directly. */
export const ports: Row = {
  name: 'ports',
  async measure(subject, { quick, sizeMib }) {
    const sizeInMib = quick ? 64 : sizeMib;
    const headers = { authorization: `Bearer ${subject.apiKey}` };
    const host = await serveOnHost(subject);
    const sandboxes = await Promise.all(
      subject.isolations.map(async (isolation) => {
        const sandbox = await Sandbox.create({ isolation }, subject);
        await serveInside(sandbox);
        const baseUrl = sandbox.portUrl(port);
        return { name: isolation, sandbox, client: new ByteClient({ baseUrl, headers }) };
      }),
    );
    const direct = { name: 'direct', client: new ByteClient({ baseUrl: host.url, headers: {} }) };
    try {
      const contenders = [direct, ...sandboxes];
      const requests = await interleave(
        contenders.map(({ name, client }) => ({
          name,
          run: () => timeMs(() => client.get('/')),
        })),
        { warmUps: 50, rounds: quick ? 100 : 500 },
      );
      const measurements: Measurement[] = [];
      const rate = async (client: ByteClient) =>
        (sizeInMib * 1000) / (await timeMs(() => client.get(`/${sizeInMib}`)));
      const directRate = await rate(direct.client);
      const upRate = async (client: ByteClient) =>
        (sizeInMib * 1000) / (await timeMs(() => client.put('/', sizeInMib * 1024 * 1024)));
      const directUpRate = await upRate(direct.client);
      for (const { name, client, sandbox } of sandboxes) {
        measurements.push({
          operation: `preview request, ${name}, p50`,
          value: medianOf(requests, name),
          unit: 'ms',
          floor: medianOf(requests, direct.name),
          note: 'floor: the same server on the host, asked directly',
        });
        let value = 0;
        const growth = await memoryGrowthMib(subject.daemonPid, async () => {
          value = await rate(client);
        });
        measurements.push({
          operation: `preview of ${sizeInMib} MiB, ${name}`,
          value,
          unit: 'MiB/s',
          floor: directRate,
          higherIsBetter: true,
          note: `the daemon grew by ${growth.toFixed(0)} MiB`,
        });
        measurements.push({
          operation: `upload of ${sizeInMib} MiB to a preview, ${name}`,
          value: await upRate(client),
          unit: 'MiB/s',
          floor: directUpRate,
          higherIsBetter: true,
          note: 'the server hashes it',
        });
        const { daemonPid } = subject;
        measurements.push(...(await tunnels(sandbox, { isolation: name, daemonPid, sizeInMib })));
      }
      return measurements;
    } finally {
      for (const { client } of [direct, ...sandboxes]) client.close();
      await Promise.all(sandboxes.map(({ sandbox }) => sandbox.kill()));
      await host[Symbol.asyncDispose]();
    }
  },
};
