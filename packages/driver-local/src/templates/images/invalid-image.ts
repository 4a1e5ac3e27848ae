/** Why an image cannot be used; the message is a reason without a full stop. */
export class InvalidImage extends Error {}
