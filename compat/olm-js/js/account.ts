import { ACCOUNT, SESSION } from "./kinds";
import { call, number, random, secret, type Text } from "./memory";
import { Native } from "./object";
import { pickle, unpickle } from "./pickle";
import type { Session } from "./session";

export class Account extends Native {
  constructor() {
    super(ACCOUNT);
  }

  create(): void {
    call(() => {
      const length = ACCOUNT.ask(this, "create_account_random_length");
      ACCOUNT.ask(this, "create_account", random(length));
    });
  }

  identity_keys(): string {
    return call(() => ACCOUNT.text(this, "account_identity_keys"));
  }

  sign(message: Text): string {
    return call(() =>
      secret(message, (message) => {
        const length = ACCOUNT.ask(this, "account_signature_length");
        return ACCOUNT.write(this, length, "account_sign", message);
      }),
    );
  }

  one_time_keys(): string {
    return call(() => ACCOUNT.text(this, "account_one_time_keys"));
  }

  mark_keys_as_published(): void {
    call(() => ACCOUNT.ask(this, "account_mark_keys_as_published"));
  }

  max_number_of_one_time_keys(): number {
    return call(() => ACCOUNT.ask(this, "account_max_number_of_one_time_keys"));
  }

  generate_one_time_keys(number_of_keys: number): void {
    call(() => {
      const count = number(number_of_keys);
      // 32 bytes for each: the C function has no way to say more than 2^32 - 1.
      const bytes = random(32 * count);
      ACCOUNT.ask(this, "account_generate_one_time_keys", count, bytes);
    });
  }

  remove_one_time_keys(session: Session): void {
    call(() => ACCOUNT.ask(this, "remove_one_time_keys", SESSION.address(session)));
  }

  generate_fallback_key(): void {
    call(() => {
      const length = ACCOUNT.ask(this, "account_generate_fallback_key_random_length");
      ACCOUNT.ask(this, "account_generate_fallback_key", random(length));
    });
  }

  fallback_key(): string {
    return call(() => ACCOUNT.text(this, "account_fallback_key"));
  }

  unpublished_fallback_key(): string {
    return call(() => ACCOUNT.text(this, "account_unpublished_fallback_key"));
  }

  forget_old_fallback_key(): void {
    call(() => ACCOUNT.ask(this, "account_forget_old_fallback_key"));
  }

  pickle(key: Text): string {
    return pickle(this, ACCOUNT, key);
  }

  unpickle(key: Text, stored: string): void {
    unpickle(this, ACCOUNT, key, stored);
  }
}
