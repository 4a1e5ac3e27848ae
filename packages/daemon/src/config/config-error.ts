/** A setting or a machine that the daemon cannot start with. The message is for people. */
export class ConfigError extends Error {}
