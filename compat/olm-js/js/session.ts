import type { Account } from "./account";
import { ACCOUNT, SESSION } from "./kinds";
import {
  call,
  constant,
  number,
  random,
  read,
  room,
  secret,
  string,
  type Text,
  text,
} from "./memory";
import { Native } from "./object";
import { pickle, unpickle } from "./pickle";

/** What the original gives to `olm_session_describe`: a longer text is cut. */
const DESCRIPTION = 256;

export class Session extends Native {
  constructor() {
    super(SESSION);
  }

  pickle(key: Text): string {
    return pickle(this, SESSION, key);
  }

  unpickle(key: Text, stored: Text): void {
    unpickle(this, SESSION, key, stored);
  }

  create_outbound(account: Account, their_identity_key: Text, their_one_time_key: Text): void {
    call(() => {
      const keys = [text(their_identity_key), text(their_one_time_key)];
      const bytes = random(SESSION.ask(this, "create_outbound_session_random_length"));
      const ours = ACCOUNT.address(account);
      SESSION.ask(this, "create_outbound_session", ours, ...keys, bytes);
    });
  }

  create_inbound(account: Account, one_time_key_message: Text): void {
    call(() =>
      secret(one_time_key_message, (message) => {
        SESSION.ask(this, "create_inbound_session", ACCOUNT.address(account), message);
      }),
    );
  }

  create_inbound_from(account: Account, identity_key: Text, one_time_key_message: Text): void {
    call(() =>
      secret(one_time_key_message, (message) => {
        const key = text(identity_key);
        const ours = ACCOUNT.address(account);
        SESSION.ask(this, "create_inbound_session_from", ours, key, message);
      }),
    );
  }

  session_id(): string {
    return call(() => SESSION.text(this, "session_id"));
  }

  has_received_message(): boolean {
    return call(() => SESSION.ask(this, "session_has_received_message") !== 0);
  }

  matches_inbound(one_time_key_message: Text): boolean {
    return call(() => {
      const message = text(one_time_key_message);
      return SESSION.ask(this, "matches_inbound_session", message) !== 0;
    });
  }

  matches_inbound_from(identity_key: Text, one_time_key_message: Text): boolean {
    return call(() => {
      const values = [text(identity_key), text(one_time_key_message)];
      return SESSION.ask(this, "matches_inbound_session_from", ...values) !== 0;
    });
  }

  encrypt(plaintext: string): { type: 0 | 1; body: string } {
    return call(() => {
      const input = string(plaintext);
      const bytes = random(SESSION.ask(this, "encrypt_random_length"));
      const type = SESSION.ask(this, "encrypt_message_type") as 0 | 1;
      const length = SESSION.ask(this, "encrypt_message_length", input.length);
      const body = SESSION.write(this, length, "encrypt", input, bytes);
      return { type, body };
    });
  }

  decrypt(message_type: number, message: string): string {
    return call(() => {
      const type = number(message_type);
      const input = string(message);
      const length = SESSION.ask(this, "decrypt_max_plaintext_length", type, input);
      const output = room(length);
      return read(output, SESSION.ask(this, "decrypt", type, input, output));
    });
  }

  describe(): string {
    return call(() => {
      const output = room(DESCRIPTION);
      SESSION.ask(this, "session_describe", output);
      return constant(output.at);
    });
  }
}
