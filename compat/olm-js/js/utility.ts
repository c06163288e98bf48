import { UTILITY } from "./kinds";
import { call, copy, room, secret, type Text, text } from "./memory";
import { olm } from "./module";
import { Native } from "./object";

export class Utility extends Native {
  constructor() {
    super(UTILITY);
  }

  sha256(input: Text): string {
    return call(() =>
      secret(input, (input) =>
        UTILITY.write(this, UTILITY.ask(this, "sha256_length"), "sha256", input),
      ),
    );
  }

  ed25519_verify(key: Text, message: Text, signature: Text): void {
    call(() =>
      secret(message, (message) => {
        UTILITY.ask(this, "ed25519_verify", text(key), message, text(signature));
      }),
    );
  }
}

/** The version of libolm that the C functions have. */
export function get_library_version(): [number, number, number] {
  return call(() => {
    const { olm_get_library_version } = olm();
    const { at } = room(3);
    olm_get_library_version(at, at + 1, at + 2);
    return [...copy({ at, length: 3 })] as [number, number, number];
  });
}
