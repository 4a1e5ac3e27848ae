import type { Authority } from './authority-files.ts';
import { clockSkewMs } from './authority-files.ts';
import { type CertificatePair, makeServerCertificate } from './make-certificates.ts';

export interface ServingOptions {
  readonly authority: Authority;
  /** Host names and addresses that the server is reached by. */
  readonly names: readonly string[];
  /** Gets every certificate after the first one. */
  readonly renewed: (pair: CertificatePair) => void;
  readonly failed: (error: unknown) => void;
  /** @default 90 days */
  readonly lifetimeMs?: number;
  /** How often it is looked whether the certificate has to be renewed. @default an hour */
  readonly checkEveryMs?: number;
}

const dayMs = 86_400_000;

/**
 * The certificate of a server, made anew before its last third begins. Looked at by the clock, not by
 * a timer for the whole time: clocks are set, and machines sleep.
 */
export class ServingCertificate implements Disposable {
  readonly #options: ServingOptions;
  readonly #lifetimeMs: number;
  readonly #timer: NodeJS.Timeout;
  #madeAt: number;
  #making = false;

  private constructor(options: ServingOptions, madeAt: number) {
    this.#options = options;
    this.#lifetimeMs = options.lifetimeMs ?? 90 * dayMs;
    this.#madeAt = madeAt;
    const checkEveryMs = options.checkEveryMs ?? 3_600_000;
    this.#timer = setInterval(() => void this.#check(), checkEveryMs).unref();
  }

  /** Makes the first one. */
  static async start(
    options: ServingOptions,
  ): Promise<{ serving: ServingCertificate; pair: CertificatePair }> {
    const serving = new ServingCertificate(options, Date.now());
    try {
      return { serving, pair: await serving.#make() };
    } catch (error) {
      serving[Symbol.dispose]();
      throw error;
    }
  }

  async #check(): Promise<void> {
    const ageMs = Date.now() - this.#madeAt;
    if (this.#making || (ageMs >= 0 && ageMs < (this.#lifetimeMs * 2) / 3)) return;
    this.#making = true;
    try {
      this.#options.renewed(await this.#make());
    } catch (error) {
      this.#options.failed(error);
    } finally {
      this.#making = false;
    }
  }

  async #make(): Promise<CertificatePair> {
    const now = Date.now();
    const { authority, names } = this.#options;
    const { validFrom, validTo } = authority.certificate;
    const pair = await makeServerCertificate({
      authority,
      names,
      notBefore: new Date(Math.max(now - clockSkewMs, Date.parse(validFrom))),
      notAfter: new Date(Math.min(now + this.#lifetimeMs, Date.parse(validTo))),
    });
    this.#madeAt = now;
    return pair;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
