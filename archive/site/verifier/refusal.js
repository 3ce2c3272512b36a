/** The one error of this verifier: bytes are not what they claim to be. */

/** `code` is one of codes.js; `message` says in a few words what is wrong with these very bytes. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
  }
}

/** Wrong use: what was given is neither ledger nor media, or cannot be read (spec/verify.md, section 2.1). */
export class Misuse extends Error {
  constructor(message) {
    super(message);
    this.name = 'Misuse';
  }
}
