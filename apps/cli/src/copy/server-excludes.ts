/**
 * Of patterns in the syntax of .gitignore those that say the same to the daemon, which then does not
 * send what they match: names and endings. With an exception (`!`) among the patterns, none.
 */
export function serverExcludes(ignore: readonly string[]): string[] {
  if (ignore.some((pattern) => pattern.startsWith('!'))) return [];
  return ignore.filter((pattern) => /^(?:\*\.)?[\p{L}\p{N}_.@+-]+$/u.test(pattern));
}
