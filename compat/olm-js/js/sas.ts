import { VERIFICATION } from "./kinds";
import { call, copy, number, random, room, type Text, text } from "./memory";
import { Native } from "./object";

export class SAS extends Native {
  constructor() {
    super(VERIFICATION);
    call(() => {
      VERIFICATION.ask(
        this,
        "create_sas",
        random(VERIFICATION.ask(this, "create_sas_random_length")),
      );
    });
  }

  get_pubkey(): string {
    return call(() =>
      VERIFICATION.write(this, VERIFICATION.ask(this, "sas_pubkey_length"), "sas_get_pubkey"),
    );
  }

  set_their_key(their_key: Text): void {
    call(() => {
      VERIFICATION.ask(this, "sas_set_their_key", text(their_key));
    });
  }

  is_their_key_set(): boolean {
    return call(() => VERIFICATION.ask(this, "sas_is_their_key_set") !== 0);
  }

  generate_bytes(info: Text, length: number): Uint8Array {
    return call(() => {
      const input = text(info);
      const output = room(number(length));
      VERIFICATION.ask(this, "sas_generate_bytes", input, output);
      return copy(output);
    });
  }

  calculate_mac(input: Text, info: Text): string {
    return this.#mac("sas_calculate_mac", input, info);
  }

  calculate_mac_fixed_base64(input: Text, info: Text): string {
    return this.#mac("sas_calculate_mac_fixed_base64", input, info);
  }

  calculate_mac_long_kdf(input: Text, info: Text): string {
    return this.#mac("sas_calculate_mac_long_kdf", input, info);
  }

  #mac(name: string, input: Text, info: Text): string {
    return call(() => {
      const values = [text(input), text(info)];
      return VERIFICATION.write(this, VERIFICATION.ask(this, "sas_mac_length"), name, ...values);
    });
  }
}
