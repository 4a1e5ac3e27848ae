import { SandportFault } from '@sandport/protocol';
import { findProgram } from '@sandport/linux';

/** @throws SandportFault `tool_missing` that names the Debian package of the program */
export function needProgram(program: string, debianPackage = program): void {
  if (findProgram(program) !== undefined) return;
  throw new SandportFault(
    'tool_missing',
    `The program ${program} is not installed; run: apt-get install ${debianPackage}`,
    { program, package: debianPackage },
  );
}
