import assert from "node:assert/strict";
import { Account, type ErrorCode, init, MocerilError, PreKeyBundle, type Session } from "moceril";

await init();

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const read = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: true }).decode(bytes);

/** Runs an operation that must fail with this code. */
export function refuses(code: ErrorCode, operation: () => unknown): void {
  assert.throws(operation, (error) => {
    assert.ok(error instanceof MocerilError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

export function bundleOf(account: Account): PreKeyBundle {
  account.generateOneTimeKeys(1);
  const [key] = account.signedOneTimeKeys();
  assert.ok(key);
  account.markAsPublished([key.key]);
  return PreKeyBundle.verify(account.identityKeys, key);
}

/** Two devices with a session between them. */
export function pair(): { alice: Account; bob: Account; toBob: Session; toAlice: Session } {
  const [alice, bob] = [new Account(), new Account()];
  const toBob = alice.createOutboundSession(bundleOf(bob));
  const first = toBob.encrypt(utf8("first"));
  const { session, message } = bob.createInboundSession(alice.identityKeys.curve25519, first);
  assert.equal(read(message.plaintext), "first");
  return { alice, bob, toBob, toAlice: session };
}

/** The key and the context of pickles. */
export const key = new Uint8Array(32).fill(7);
export const context = utf8("@alice:example.org DEVICE");
