import { bytes, call, Owned, raw, take, text } from "./call.js";
import * as wasm from "./wasm/moceril_js.js";

/** An emoji of the specification, with its English name. */
export interface Emoji {
  symbol: string;
  description: string;
}

/** A method of MACs; `hkdf-hmac-sha256.v2` is the one to choose. */
export type MacMethod = "hkdf-hmac-sha256.v2" | "hkdf-hmac-sha256" | "hmac-sha256";

/** One device's end of a verification before the other one's key is known: a key for one use. */
export class Sas extends Owned {
  /** Draws a key pair. */
  constructor() {
    super(
      call(() => new wasm.Sas()),
      wasm.Sas,
    );
  }

  /** The public key, to be sent. */
  get publicKey(): string {
    return call(() => raw(this, wasm.Sas).publicKey());
  }

  /**
   * Agrees on a secret with the other device. This uses the object up: every later call throws an
   * error with the code `Freed`. If the other device's key is refused, the object is as it was.
   */
  diffieHellman(theirKey: string): EstablishedSas {
    const key = text(theirKey, "theirKey");
    const established = call(() => raw(this, wasm.Sas).diffieHellman(key));
    call(() => take(this, wasm.Sas).free());
    return new EstablishedSas(established);
  }
}

/** The agreed secret, from which come what people compare, and the MACs of their keys. */
export class EstablishedSas extends Owned {
  /** @internal */
  constructor(made: wasm.EstablishedSas) {
    super(made, wasm.EstablishedSas);
  }

  /** The seven emoji that people compare. `info` binds users, devices and keys. */
  emoji(info: Uint8Array): Emoji[] {
    const i = bytes(info, "info");
    return call(() => raw(this, wasm.EstablishedSas).emoji(i) as Emoji[]);
  }

  /** The three numbers that people compare. */
  decimals(info: Uint8Array): number[] {
    const i = bytes(info, "info");
    return call(() => raw(this, wasm.EstablishedSas).decimals(i) as number[]);
  }

  /** The MAC of a key, in base64. */
  calculateMac(method: MacMethod, input: Uint8Array, info: Uint8Array): string {
    const [m, p, i] = [text(method, "method"), bytes(input, "input"), bytes(info, "info")];
    return call(() => raw(this, wasm.EstablishedSas).calculateMac(m, p, i));
  }

  /** Verifies the MAC of the other device, or throws `Mac`. */
  verifyMac(method: MacMethod, input: Uint8Array, info: Uint8Array, mac: string): void {
    const [m, p, i] = [text(method, "method"), bytes(input, "input"), bytes(info, "info")];
    const tag = text(mac, "mac");
    call(() => raw(this, wasm.EstablishedSas).verifyMac(m, p, i, tag));
  }
}

/** What the device that accepts a verification sends before its key. */
export function sasCommitment(publicKey: string, startContent: string): string {
  const [key, content] = [text(publicKey, "publicKey"), text(startContent, "startContent")];
  return call(() => wasm.sasCommitment(key, content));
}
