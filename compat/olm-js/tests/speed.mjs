// Times the same operations of the original and of ours in one process, in turns:
//
//   node speed.mjs FOLDER_OF_THE_ORIGINAL FOLDER_OF_OURS FOLDER_OF_THE_SDK ROUNDS
//
// Prints the least time of all rounds, in microseconds, as a table. Then the same of what
// matrix-sdk-crypto-wasm can do without its store, and of ours.

import { createRequire } from "node:module";

const [, , original, ours, sdkFolder, rounds] = process.argv;
const require = createRequire(import.meta.url);
const packages = [require(original), require(ours)];
await Promise.all(packages.map((olm) => olm.init()));

const text = "x".repeat(1000);
const curve25519 = (account) => JSON.parse(account.identity_keys()).curve25519;

/** The operations of a package: name, how many times in a round, and a function. */
function operations(olm) {
  const account = () => {
    const account = new olm.Account();
    account.create();
    return account;
  };
  const [alice, bob] = [account(), account()];
  bob.generate_one_time_keys(1);
  const [key] = Object.values(JSON.parse(bob.one_time_keys()).curve25519);
  const begin = () => {
    const session = new olm.Session();
    session.create_outbound(alice, curve25519(bob), key);
    return session;
  };
  const first = begin().encrypt(text);
  const receive = () => {
    const session = new olm.Session();
    session.create_inbound(bob, first.body);
    session.decrypt(0, first.body);
    return session;
  };
  const sessions = [begin(), null];
  const message = sessions[0].encrypt(text);
  sessions[1] = new olm.Session();
  sessions[1].create_inbound(bob, message.body);
  sessions[1].decrypt(0, message.body);
  const send = (from, to) => {
    const { type, body } = sessions[from].encrypt(text);
    sessions[to].decrypt(type, body);
  };
  const group = new olm.OutboundGroupSession();
  group.create();
  const receiver = new olm.InboundGroupSession();
  receiver.create(group.session_key());
  const event = group.encrypt(text);
  const sessionKey = group.session_key();
  const exported = receiver.export_session(0);
  const utility = new olm.Utility();
  const [signature, ed25519] = [alice.sign(text), JSON.parse(alice.identity_keys()).ed25519];
  const full = account();
  full.generate_one_time_keys(100);
  const stored = full.pickle("key");
  const storedReceiver = receiver.pickle("key");
  const loaded = (kind, stored) => {
    const object = new olm[kind]();
    object.unpickle("key", stored);
    return object;
  };
  const backup = new olm.PkDecryption();
  const encryption = new olm.PkEncryption();
  encryption.set_recipient_key(backup.generate_key());
  const sealed = encryption.encrypt(text);
  const [sas, other] = [new olm.SAS(), new olm.SAS()];
  const make = (create) => () => create().free();
  return [
    ["new account", 20, make(account)],
    ["50 one-time keys", 1, () => alice.generate_one_time_keys(50)],
    ["sign 1 kB", 20, () => alice.sign(text)],
    ["verify", 20, () => utility.ed25519_verify(ed25519, text, signature)],
    ["SHA-256 of 1 kB", 100, () => utility.sha256(text)],
    ["Olm: outbound session", 10, make(begin)],
    ["Olm: inbound session and first message", 10, make(receive)],
    ["Olm: a message and its answer", 5, () => (send(0, 1), send(1, 0))],
    ["Olm: a message in one direction", 20, () => send(0, 1)],
    [
      "Megolm: outbound session",
      20,
      make(() => {
        const group = new olm.OutboundGroupSession();
        group.create();
        return group;
      }),
    ],
    ["Megolm: encrypt", 20, () => group.encrypt(text)],
    ["Megolm: decrypt", 20, () => receiver.decrypt(event)],
    [
      "Megolm: session from a session key",
      20,
      make(() => {
        const receiver = new olm.InboundGroupSession();
        receiver.create(sessionKey);
        return receiver;
      }),
    ],
    [
      "Megolm: import a room key",
      100,
      make(() => {
        const receiver = new olm.InboundGroupSession();
        receiver.import_session(exported);
        return receiver;
      }),
    ],
    ["Megolm: session id", 200, () => receiver.session_id()],
    ["store an account with 100 keys", 20, () => full.pickle("key")],
    ["load it", 20, make(() => loaded("Account", stored))],
    ["load a group session", 100, make(() => loaded("InboundGroupSession", storedReceiver))],
    ["backup: encrypt a room key", 20, () => encryption.encrypt(text)],
    [
      "backup: decrypt it",
      20,
      () => backup.decrypt(sealed.ephemeral, sealed.mac, sealed.ciphertext),
    ],
    ["SAS: their key", 20, () => sas.set_their_key(other.get_pubkey())],
  ];
}

/** Times both lists of operations in turns. */
function compare(name, ...both) {
  const least = both.map((list) => list.map(() => Infinity));
  for (let round = 0; round < rounds; round++) {
    for (let number = 0; number < both[0].length; number++) {
      for (const [which, list] of both.entries()) {
        const [, times, operation] = list[number];
        const start = process.hrtime.bigint();
        for (let i = 0; i < times; i++) operation();
        const each = Number(process.hrtime.bigint() - start) / times / 1000;
        least[which][number] = Math.min(least[which][number], each);
      }
    }
  }
  console.log(`\n| operation | ${name} | this package | ratio |\n|---|---|---|---|`);
  for (const [number, [name]] of both[0].entries()) {
    const [theirs, mine] = least.map((times) => times[number]);
    const digits = (time) => time.toFixed(time < 10 ? 1 : 0);
    const cells = [name, digits(theirs), digits(mine), (theirs / mine).toFixed(1)];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

compare("@matrix-org/olm 3.2.15", ...packages.map(operations));

const sdk = require(`${sdkFolder}/node.cjs`);
await sdk.initAsync();
const theirs = new sdk.PkDecryption();
const toThem = sdk.PkEncryption.fromKey(theirs.publicKey());
const sealed = toThem.encryptString(text);
compare(
  "matrix-sdk-crypto-wasm 18.9.0",
  [
    ["backup: encrypt a room key", 20, () => toThem.encryptString(text).free()],
    ["backup: decrypt it", 20, () => theirs.decryptString(sealed)],
  ],
  operations(packages[1]).filter(([name]) => name.startsWith("backup")),
);
