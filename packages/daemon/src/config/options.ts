/** One setting of the daemon: by flag, by environment, or in the configuration file. */
export interface DaemonOption {
  /** Name in the configuration file and of the environment variable, as `data_dir`. */
  readonly key: OptionKey;
  /** Flag with its argument, as commander takes it. */
  readonly flag: string;
  readonly description: string;
  /** For the help text. */
  readonly defaultText: string;
  /** True: the flag can be given several times; the environment separates with commas. */
  readonly list?: boolean;
}

export type OptionKey =
  | 'listen'
  | 'data_dir'
  | 'run_dir'
  | 'templates_dir'
  | 'isolation'
  | 'storage'
  | 'storage_pool_gb'
  | 'alias'
  | 'prepare'
  | 'max_sandboxes'
  | 'pool'
  | 'kubernetes_listen'
  | 'kubernetes_san'
  | 'pod_network'
  | 'pod_network_users'
  | 'ssh_listen'
  | 'preview_host'
  | 'allow_origin'
  | 'network'
  | 'network_range'
  | 'network_dns'
  | 'idle_timeout_seconds'
  | 'log_level';

export const daemonOptions: readonly DaemonOption[] = [
  {
    key: 'listen',
    flag: '--listen <host:port>',
    description: 'Address of the API; port 0 takes a free one.',
    defaultText: '127.0.0.1:8420',
  },
  {
    key: 'data_dir',
    flag: '--data-dir <dir>',
    description: 'Where sandboxes, volumes, templates and the state file lie.',
    defaultText: '/var/lib/sandport',
  },
  {
    key: 'run_dir',
    flag: '--run-dir <dir>',
    description: 'Where sockets and the state of the runtimes lie; on a tmpfs, a short path.',
    defaultText: '/run/sandport/<hash of the data directory>',
  },
  {
    key: 'templates_dir',
    flag: '--templates-dir <dir>',
    description: 'Where built templates lie; several daemons may share one.',
    defaultText: 'DATA_DIR/templates',
  },
  {
    key: 'isolation',
    flag: '--isolation <auto|gvisor|container>',
    description: 'Isolation of sandboxes that ask for none; auto: the strongest that works here.',
    defaultText: 'auto',
  },
  {
    key: 'storage',
    flag: '--storage <auto|overlay|btrfs>',
    description:
      'Where new disks lie: overlay copies files to fork; btrfs shares them. auto: btrfs where the data directory is on btrfs, else overlay.',
    defaultText: 'auto',
  },
  {
    key: 'storage_pool_gb',
    flag: '--storage-pool-gb <number>',
    description:
      'Most GiB in the btrfs pool, a file in a data directory that is not on btrfs; it grows as it fills.',
    defaultText: 'four fifths of the free room',
  },
  {
    key: 'alias',
    flag: '--alias <name=template>',
    description: 'Another name of a template. Can be repeated.',
    defaultText: 'default, python-sandbox-template and ubuntu-24.04 mean base',
    list: true,
  },
  {
    key: 'prepare',
    flag: '--prepare <template>',
    description: 'Template that is built at the start when it is missing. Can be repeated.',
    defaultText: 'base; none: build nothing',
    list: true,
  },
  {
    key: 'max_sandboxes',
    flag: '--max-sandboxes <number>',
    description: 'Most sandboxes at one time.',
    defaultText: '1000',
  },
  {
    key: 'pool',
    flag: '--pool <template[:isolation]=number>',
    description:
      'Sandboxes of a template that are kept ready; set at each start. Can be repeated. `sandport pool` changes it meanwhile.',
    defaultText: 'as they were left; none at first',
    list: true,
  },
  {
    key: 'kubernetes_listen',
    flag: '--kubernetes-listen <host:port|off>',
    description:
      'Address for clients of Kubernetes, as kubectl; port 0 takes a free one; off: none of that dialect.',
    defaultText: 'the next port on the host of --listen',
  },
  {
    key: 'kubernetes_san',
    flag: '--kubernetes-san <name>',
    description:
      'Another host name or address that clients of Kubernetes reach this machine by. Can be repeated.',
    defaultText: 'localhost, the name of the machine, and what is listened on',
    list: true,
  },
  {
    key: 'pod_network',
    flag: '--pod-network <auto|off|range>',
    description:
      'Addresses that sandboxes have on this machine, as 127.66.0.0/16; auto: the first free one of 127.66.0.0/16 to 127.95.0.0/16.',
    defaultText: 'auto',
  },
  {
    key: 'pod_network_users',
    flag: '--pod-network-users <user>',
    description:
      'Another user of this machine who may connect to addresses of sandboxes, which need no key. Can be repeated.',
    defaultText: 'root, and who called sudo',
    list: true,
  },
  {
    key: 'ssh_listen',
    flag: '--ssh-listen <host:port|off>',
    description:
      'Address for clients of SSH, as ssh, scp and sftp; port 0 takes a free one; off: none.',
    defaultText: 'port 2222 on the host of --listen',
  },
  {
    key: 'preview_host',
    flag: '--preview-host <name[:port]>',
    description:
      'Domain below which ports of sandboxes have their addresses, as http://3000-ID.NAME:PORT/; all names below it must lead to this daemon.',
    defaultText: 'localhost, and the port of the API',
  },
  {
    key: 'allow_origin',
    flag: '--allow-origin <origin>',
    description:
      'Origin of web pages, as https://example.com, that may open WebSockets with a key. Can be repeated.',
    defaultText: "the daemon's own",
    list: true,
  },
  {
    key: 'network',
    flag: '--network <auto|on|off>',
    description:
      'Networks of sandboxes that ask for one. auto: where the machine can; on: do not start where it cannot; off: none. The first one turns on net.ipv4.ip_forward.',
    defaultText: 'auto',
  },
  {
    key: 'network_range',
    flag: '--network-range <range>',
    description: 'Addresses of the networks of sandboxes, as 198.18.0.0/15; used by nobody else.',
    defaultText: '198.18.0.0/15',
  },
  {
    key: 'network_dns',
    flag: '--network-dns <address[:port]>',
    description: 'Resolver that names are asked of for sandboxes. Can be repeated.',
    defaultText: 'those of /etc/resolv.conf',
    list: true,
  },
  {
    key: 'idle_timeout_seconds',
    flag: '--idle-timeout-seconds <number>',
    description: 'An upload that moves no byte for so long is given up.',
    defaultText: '60',
  },
  {
    key: 'log_level',
    flag: '--log-level <level>',
    description:
      'trace, debug, info, warn, error, fatal or silent. Logs are JSON on standard error.',
    defaultText: 'info',
  },
];

/** Environment variable of a setting, as `SANDPORT_DATA_DIR`. */
export const environmentName = (key: OptionKey): string => `SANDPORT_${key.toUpperCase()}`;

/** Configuration file that is read when it is there and none is named. */
export const defaultConfigFile = '/etc/sandport/config.json';
