/**
 * A problem that the person at the keyboard can mend: one sentence that says what is missing and
 * how to get it, and optionally the lines of output that show it.
 */
export class Failure extends Error {
  constructor(sentence, { output = [], cause } = {}) {
    super(sentence, { cause });
    this.name = 'Failure';
    this.output = output;
  }
}

/** Runs a script's main function: a Failure is printed as its sentence, anything else in full. */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? process.exitCode ?? 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    for (const line of error.output) console.error(`  | ${line}`);
    console.error(error.message);
    process.exitCode = 1;
  }
}
