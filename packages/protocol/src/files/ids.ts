/** Largest user or group id of a sandbox. */
export const maxNumericId = 65_535;
