import { INBOUND, OUTBOUND } from "./kinds";
import { call, number, random, read, readNumber, room, secret, string, type Text } from "./memory";
import { Native } from "./object";
import { pickle, unpickle } from "./pickle";

export class OutboundGroupSession extends Native {
  constructor() {
    super(OUTBOUND);
  }

  pickle(key: Text): string {
    return pickle(this, OUTBOUND, key);
  }

  unpickle(key: Text, stored: Text): void {
    unpickle(this, OUTBOUND, key, stored);
  }

  create(): void {
    call(() => {
      const length = OUTBOUND.ask(this, "init_outbound_group_session_random_length");
      OUTBOUND.ask(this, "init_outbound_group_session", random(length));
    });
  }

  encrypt(plaintext: string): string {
    return call(() => {
      const input = string(plaintext);
      const length = OUTBOUND.ask(this, "group_encrypt_message_length", input.length);
      return OUTBOUND.write(this, length, "group_encrypt", input);
    });
  }

  session_id(): string {
    return call(() => OUTBOUND.text(this, "outbound_group_session_id"));
  }

  session_key(): string {
    return call(() => OUTBOUND.text(this, "outbound_group_session_key"));
  }

  message_index(): number {
    return call(() => OUTBOUND.count(this, "outbound_group_session_message_index"));
  }
}

export class InboundGroupSession extends Native {
  constructor() {
    super(INBOUND);
  }

  pickle(key: Text): string {
    return pickle(this, INBOUND, key);
  }

  unpickle(key: Text, stored: Text): void {
    unpickle(this, INBOUND, key, stored);
  }

  create(session_key: Text): void {
    call(() =>
      secret(session_key, (key) => {
        INBOUND.ask(this, "init_inbound_group_session", key);
      }),
    );
  }

  import_session(session_key: Text): void {
    call(() =>
      secret(session_key, (key) => {
        INBOUND.ask(this, "import_inbound_group_session", key);
      }),
    );
  }

  decrypt(message: string): { message_index: number; plaintext: string } {
    return call(() => {
      const input = string(message);
      const output = room(INBOUND.ask(this, "group_decrypt_max_plaintext_length", input));
      const index = room(4);
      const length = INBOUND.ask(this, "group_decrypt", input, output, index.at);
      return { plaintext: read(output, length), message_index: readNumber(index) };
    });
  }

  session_id(): string {
    return call(() => INBOUND.text(this, "inbound_group_session_id"));
  }

  first_known_index(): number {
    return call(() => INBOUND.count(this, "inbound_group_session_first_known_index"));
  }

  export_session(message_index: number): string {
    return call(() => {
      const index = number(message_index);
      const output = room(INBOUND.ask(this, "export_inbound_group_session_length"));
      INBOUND.ask(this, "export_inbound_group_session", output, index);
      return read(output);
    });
  }
}
