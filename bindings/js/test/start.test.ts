// In a process of its own: the module before it is loaded, and after it has stopped.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Account, init, MocerilError } from "moceril";

const code = (operation: () => unknown): string => {
  try {
    operation();
  } catch (error) {
    assert.ok(error instanceof MocerilError, String(error));
    return error.code;
  }
  return "none";
};

test("nothing works before init, and everything after it", async () => {
  assert.equal(
    code(() => new Account()),
    "NotInitialized",
  );
  await assert.rejects(init(new Uint8Array(8)));
  // Whoever asks later gets the same module, and objects of the first stay valid.
  let late = (_: Uint8Array): void => {};
  const slow = new Promise<Uint8Array>((done) => (late = done));
  const file = await readFile(new URL("../dist/wasm/moceril_js_bg.wasm", import.meta.url));
  const [one, two] = [init(file), init(slow as never)];
  await one;
  const account = new Account();
  const { ed25519 } = account.identityKeys;
  late(file);
  await two;
  assert.equal(account.identityKeys.ed25519, ed25519);
});

test("after a trap no call is let through, because an object may be half changed", async () => {
  const { call } = (await import(new URL("../dist/call.js", import.meta.url).href)) as {
    call(operation: () => unknown): unknown;
  };
  const account = new Account();
  const key = new Uint8Array(32);
  assert.equal(
    code(() => account.pickle(new Uint8Array(1), key)),
    "Length",
  );
  assert.ok(account.pickle(key, key));
  const trap = (): never => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  assert.equal(
    code(() => call(trap)),
    "Internal",
  );
  assert.equal(
    code(() => account.pickle(key, key)),
    "Internal",
  );
});
