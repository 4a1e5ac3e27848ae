/** Variables that a client may set: those that say how it shows things. */
const allowed = /^(?:LANG|LC_[A-Z_]{1,32}|TERM|COLORTERM)$/;

const maxVariables = 32;
const maxValueChars = 256;

/** Takes a variable of the client; false: it is refused. */
export function setVariable(
  environment: Map<string, string>,
  name: string,
  value: string,
): boolean {
  if (!allowed.test(name) || value.length > maxValueChars || value.includes('\0')) return false;
  if (environment.size >= maxVariables) return false;
  environment.set(name, value);
  return true;
}
