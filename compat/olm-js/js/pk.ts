import { DECRYPTION, ENCRYPTION, SIGNING } from "./kinds";
import { bytes, call, copy, random, read, room, secret, string, type Text, text } from "./memory";
import { olm } from "./module";
import { Native } from "./object";
import { pickle } from "./pickle";

export const PRIVATE_KEY_LENGTH = 32;

export class PkEncryption extends Native {
  constructor() {
    super(ENCRYPTION);
  }

  set_recipient_key(key: Text): void {
    call(() => {
      ENCRYPTION.ask(this, "pk_encryption_set_recipient_key", text(key));
    });
  }

  encrypt(plaintext: string): { ciphertext: string; mac: string; ephemeral: string } {
    return call(() => {
      const input = string(plaintext);
      const secret = random(ENCRYPTION.ask(this, "pk_encrypt_random_length"));
      const mac = room(ENCRYPTION.ask(this, "pk_mac_length"));
      const ephemeral = room(olm().olm_pk_key_length());
      const ciphertext = room(ENCRYPTION.ask(this, "pk_ciphertext_length", input.length));
      ENCRYPTION.ask(this, "pk_encrypt", input, ciphertext, mac, ephemeral, secret);
      return { ciphertext: read(ciphertext), mac: read(mac), ephemeral: read(ephemeral) };
    });
  }
}

export class PkDecryption extends Native {
  constructor() {
    super(DECRYPTION);
  }

  init_with_private_key(key: Uint8Array): string {
    return call(() => {
      const secret = bytes(key);
      const output = room(olm().olm_pk_key_length());
      DECRYPTION.ask(this, "pk_key_from_private", output, secret);
      return read(output);
    });
  }

  generate_key(): string {
    return call(() => {
      const output = room(olm().olm_pk_key_length());
      DECRYPTION.ask(this, "pk_key_from_private", output, random(PRIVATE_KEY_LENGTH));
      return read(output);
    });
  }

  get_private_key(): Uint8Array {
    return call(() => {
      const output = room(PRIVATE_KEY_LENGTH);
      DECRYPTION.ask(this, "pk_get_private_key", output);
      return copy(output);
    });
  }

  pickle(key: Text): string {
    return pickle(this, DECRYPTION, key);
  }

  unpickle(key: Text, stored: Text): string {
    return call(() =>
      secret(key, (key) => {
        const output = room(olm().olm_pk_key_length());
        DECRYPTION.ask(this, "unpickle_pk_decryption", key, text(stored), output);
        return read(output);
      }),
    );
  }

  decrypt(ephemeral_key: Text, mac: Text, ciphertext: string): string {
    return call(() => {
      const input = string(ciphertext);
      const values = [text(ephemeral_key), text(mac), input];
      const output = room(DECRYPTION.ask(this, "pk_max_plaintext_length", input.length));
      return read(output, DECRYPTION.ask(this, "pk_decrypt", ...values, output));
    });
  }
}

export class PkSigning extends Native {
  constructor() {
    super(SIGNING);
  }

  init_with_seed(seed: Uint8Array): string {
    return call(() => {
      const secret = bytes(seed);
      const output = room(olm().olm_pk_signing_public_key_length());
      SIGNING.ask(this, "pk_signing_key_from_seed", output, secret);
      return read(output);
    });
  }

  generate_seed(): Uint8Array {
    return call(() => {
      SIGNING.address(this);
      return copy(random(olm().olm_pk_signing_seed_length()));
    });
  }

  sign(message: string): string {
    return call(() => {
      const input = string(message);
      return SIGNING.write(this, olm().olm_pk_signature_length(), "pk_sign", input);
    });
  }
}
