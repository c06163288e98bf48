// The package, ready for tests, and objects of it. PACKAGE is its folder.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

export const require = createRequire(import.meta.url);
export const folder = process.env.PACKAGE;
export const Olm = require(folder);
export const names = [
  "Account",
  "InboundGroupSession",
  "OutboundGroupSession",
  "PkDecryption",
  "PkEncryption",
  "PkSigning",
  "SAS",
  "Session",
  "Utility",
];

// Before it is loaded, and after that has failed, every call is an exception.
for (const name of names) assert.throws(() => new Olm[name](), TypeError);
assert.throws(() => Olm.get_library_version(), TypeError);
await assert.rejects(Olm.init({ locateFile: () => "/nowhere/olm.wasm" }));

/** What the module exports, which the package itself does not show. */
export let wasm;
/** How many calls of C functions have begun and ended. */
export const cCalls = { begun: 0, ended: 0 };
const counted = (name, value) => {
  if (!name.startsWith("olm_")) return value;
  return (...values) => {
    cCalls.begun++;
    const result = value(...values);
    cCalls.ended++;
    return result;
  };
};
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...values) => {
  const made = await instantiate(...values);
  wasm = made.instance.exports;
  const exports = Object.entries(wasm).map(([name, value]) => [name, counted(name, value)]);
  return { instance: { exports: Object.fromEntries(exports) } };
};
await Promise.all([Olm.init(), Olm.init()]);
WebAssembly.instantiate = instantiate;

export const account = () => {
  const account = new Olm.Account();
  account.create();
  return account;
};
const curve25519 = (account) => JSON.parse(account.identity_keys()).curve25519;

export function conversation() {
  const [alice, bob] = [account(), account()];
  bob.generate_one_time_keys(1);
  const [key] = Object.values(JSON.parse(bob.one_time_keys()).curve25519);
  const [ours, theirs] = [new Olm.Session(), new Olm.Session()];
  ours.create_outbound(alice, curve25519(bob), key);
  const { body } = ours.encrypt("first");
  theirs.create_inbound(bob, body);
  assert.equal(theirs.decrypt(0, body), "first");
  bob.remove_one_time_keys(theirs);
  return { alice, bob, ours, theirs };
}

export function room() {
  const [group, receiver] = [new Olm.OutboundGroupSession(), new Olm.InboundGroupSession()];
  group.create();
  receiver.create(group.session_key());
  return { group, receiver };
}

/** Each method with arguments of the right types, on objects that are ready. */
export function everyCall() {
  const { alice, ours } = conversation();
  const { group, receiver } = room();
  const [decryption, encryption] = [new Olm.PkDecryption(), new Olm.PkEncryption()];
  encryption.set_recipient_key(decryption.generate_key());
  const signing = new Olm.PkSigning();
  signing.init_with_seed(signing.generate_seed());
  const [sas, utility] = [new Olm.SAS(), new Olm.Utility()];
  sas.set_their_key(new Olm.SAS().get_pubkey());
  const key = "A".repeat(43);
  const stored = [
    ["pickle", "key"],
    ["unpickle", "key", "pickle"],
  ];
  return [
    [
      alice,
      ["create"],
      ["identity_keys"],
      ["sign", "text"],
      ["one_time_keys"],
      ["mark_keys_as_published"],
      ["max_number_of_one_time_keys"],
      ["generate_one_time_keys", 1],
      ["remove_one_time_keys", ours],
      ["generate_fallback_key"],
      ["fallback_key"],
      ["unpublished_fallback_key"],
      ["forget_old_fallback_key"],
      ...stored,
    ],
    [
      ours,
      ["create_outbound", alice, key, key],
      ["create_inbound", alice, "message"],
      ["create_inbound_from", alice, key, "message"],
      ["session_id"],
      ["has_received_message"],
      ["matches_inbound", "message"],
      ["matches_inbound_from", key, "message"],
      ["encrypt", "text"],
      ["decrypt", 1, "message"],
      ["describe"],
      ...stored,
    ],
    [
      group,
      ["create"],
      ["encrypt", "text"],
      ["session_id"],
      ["session_key"],
      ["message_index"],
      ...stored,
    ],
    [
      receiver,
      ["create", key],
      ["import_session", key],
      ["decrypt", "message"],
      ["session_id"],
      ["first_known_index"],
      ["export_session", 0],
      ...stored,
    ],
    [
      decryption,
      ["init_with_private_key", new Uint8Array(32)],
      ["generate_key"],
      ["get_private_key"],
      ["decrypt", key, "mac", "text"],
      ...stored,
    ],
    [encryption, ["set_recipient_key", key], ["encrypt", "text"]],
    [signing, ["init_with_seed", new Uint8Array(32)], ["generate_seed"], ["sign", "text"]],
    [
      sas,
      ["get_pubkey"],
      ["set_their_key", key],
      ["is_their_key_set"],
      ["generate_bytes", "info", 6],
      ["calculate_mac", "text", "info"],
      ["calculate_mac_fixed_base64", "text", "info"],
      ["calculate_mac_long_kdf", "text", "info"],
    ],
    [utility, ["sha256", "text"], ["ed25519_verify", key, "text", "A".repeat(86)]],
  ];
}

/** What an object is, where it has a pickle. */
export const state = (object) => object.pickle?.("state") ?? "";

export const isOlmError = (error) =>
  error.constructor === Error && /^OLM\.[A-Z0-9_]+$/.test(error.message);
