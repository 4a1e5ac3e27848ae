import { z } from 'zod';

/** What a sandbox used at one moment. */
export const metricsSampleSchema = z.object({
  at: z.iso.datetime(),
  cpu_percent: z.number().describe('Of one core, since the sample before.'),
  memory_bytes: z.int(),
  disk_bytes: z.int(),
  pids: z.int(),
  network_received_bytes: z.int(),
  network_sent_bytes: z.int(),
});
export type MetricsSample = z.infer<typeof metricsSampleSchema>;

/** Answer of `GET …/metrics`. The names that begin with `host_` are other words for the same. */
export const metricsSchema = metricsSampleSchema.extend({
  status: z.string(),
  pid: z.int().describe('First process on the host; 0 without processes.'),
  uptime_seconds: z.number(),
  cpu_seconds: z.number(),
  cpu_limit: z.number().describe('Cores.'),
  memory_limit_bytes: z.int(),
  memory_peak_bytes: z.int().optional(),
  disk_limit_bytes: z.int().optional(),
  pids_limit: z.int(),
  host_cpu_percent: z.number(),
  host_rss_bytes: z.int(),
  threads: z.int(),
  history: z.array(metricsSampleSchema).describe('Oldest first; every 10 seconds, up to an hour.'),
});
export type Metrics = z.infer<typeof metricsSchema>;
