// Random calls on one package. Two packages that get the same seed and the same random bytes, and
// do the same, give the same outcomes.

import { createHash } from "node:crypto";

/** A generator of 32-bit numbers (Mulberry32) from the hash of a text. */
export function generator(seed) {
  let state = createHash("sha256").update(seed).digest().readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

export const WRONG = [undefined, null, 5, -1, 1.5, true, [1, 2], {}, () => 0, 2n, Symbol("s")];
const WRONG_NUMBERS = [undefined, null, "1", 1.5, -1, NaN, Infinity, 2 ** 32, {}, [3], 2n];
// The original cuts off what follows a NUL, and what it makes of half a surrogate pair is no UTF-8.
const TEXTS = ["", "a", "text", "Grüße, 世界 🦀", "é".repeat(3000), "x".repeat(20000)];
const KEYS = ["", "key", "key", "клю́ч"];

const CURVE = "curve25519";

export class Episode {
  constructor(olm, name) {
    this.olm = olm;
    this.name = name;
    this.random = generator(name);
    this.made = [];
    this.pickles = [];
    this.accounts = [this.newAccount(), this.newAccount()];
    this.sessions = []; // [ends, messages for each]
    this.groups = [];
    this.receivers = [];
    this.messages = [
      { type: 0, body: "AwgAEg" },
      { type: 1, body: "" },
    ];
    this.events = ["", "AwgAEg"];
    this.backups = [];
    this.verifications = [this.make("SAS"), this.make("SAS")];
    this.signatures = [""];
    this.utility = this.make("Utility");
  }

  /** Frees everything, as a program of the original must. */
  end() {
    for (const object of this.made) object.free();
  }

  make(name) {
    const object = new this.olm[name]();
    this.made.push(object);
    return object;
  }

  newAccount() {
    const account = this.make("Account");
    account.create();
    account.generate_one_time_keys(3);
    return account;
  }

  below(count) {
    return this.random() % count;
  }

  chance(share) {
    return this.random() < share * 2 ** 32;
  }

  choice(values) {
    return values[this.below(values.length)];
  }

  /** Mostly a recent one. */
  pick(values) {
    let back = 1;
    while (back < values.length && this.chance(0.5)) back++;
    return values[values.length - back];
  }

  /** Rarely a value of a wrong type. */
  maybe(value, wrong = WRONG) {
    if (!this.chance(0.02)) return value;
    this.isWrong = true;
    return this.choice(wrong);
  }

  text() {
    return this.maybe(this.choice(TEXTS));
  }

  /** A text, or its bytes, which the call may wipe. */
  textOrBytes() {
    const text = this.choice(TEXTS);
    return this.maybe(this.chance(0.3) ? new TextEncoder().encode(text) : text);
  }

  key() {
    const key = this.choice(KEYS);
    return this.maybe(this.chance(0.2) ? new TextEncoder().encode(key) : key);
  }

  /** Mostly the text itself. Otherwise a character is changed, or something is cut off or added. */
  damaged(text, mayShift = true) {
    if (text === "" || !this.chance(0.08)) return text;
    this.isDamaged = true;
    const place = this.below(text.length);
    const how = mayShift ? this.below(4) : 1;
    if (how === 0) return text.slice(0, place);
    return (
      text.slice(0, place) + (how === 3 ? "é" : "A") + text.slice(place + Math.min(how, 2) - 1)
    );
  }

  /**
   * Does one thing. Returns its name and what came of it. The choices of each step are drawn anew:
   * after two errors at different places the packages would have drawn different numbers.
   */
  step(number) {
    this.random = generator(`${this.name} choices ${number}`);
    const names = Object.getOwnPropertyNames(Episode.prototype).filter((name) =>
      name.startsWith("do"),
    );
    const name = this.choice(names);
    this.isDamaged = this.isWrong = false;
    let outcome;
    try {
      outcome = `= ${show(this[name]())}`;
    } catch (error) {
      outcome = `! ${error?.name} ${/^OLM\./.test(error?.message) ? error.message : ""}`;
    }
    return { name, outcome };
  }

  // Accounts.

  account() {
    return this.choice(this.accounts);
  }

  doAccount() {
    const account = this.newAccount();
    this.accounts[this.below(2)] = account;
    return account.identity_keys();
  }

  doOneTimeKeys() {
    const account = this.account();
    account.generate_one_time_keys(this.maybe(this.choice([0, 1, 2, 5, 101]), WRONG_NUMBERS));
    return [account.one_time_keys(), account.max_number_of_one_time_keys()];
  }

  doFallback() {
    const account = this.account();
    account.generate_fallback_key();
    if (this.chance(0.3)) account.forget_old_fallback_key();
    return [account.fallback_key(), account.unpublished_fallback_key()];
  }

  doPublish() {
    const account = this.account();
    account.mark_keys_as_published();
    return [account.one_time_keys(), account.fallback_key(), account.unpublished_fallback_key()];
  }

  doSign() {
    const message = this.textOrBytes();
    const signature = this.account().sign(message);
    this.signatures.push(signature);
    return [signature, message];
  }

  doVerify() {
    const key = JSON.parse(this.account().identity_keys()).ed25519;
    const text = this.choice(TEXTS);
    const signature = this.chance(0.7) ? this.account().sign(text) : this.pick(this.signatures);
    const values = [this.damaged(key), this.maybe(text), this.damaged(signature)];
    return this.utility.ed25519_verify(...values);
  }

  doHash() {
    const input = this.textOrBytes();
    return [this.utility.sha256(input), input];
  }

  doStoreAccount() {
    const key = this.key();
    this.pickles.push(this.account().pickle(key));
    return [this.pickles.at(-1), key];
  }

  /** An object from the pickle that the other package has written. */
  doMoveAccount() {
    const number = this.below(2);
    const account = this.make("Account");
    account.unpickle("move", this.damaged(this.partner.accounts[number].pickle("move")));
    this.accounts[number] = account;
    return [account.identity_keys(), account.pickle("key")];
  }

  doUnpickleAnything() {
    const names = [
      "Account",
      "Session",
      "InboundGroupSession",
      "OutboundGroupSession",
      "PkDecryption",
    ];
    const object = this.make(this.choice(names));
    this.isDamaged = true; // mostly a pickle of another kind, or another key
    object.unpickle(this.key(), this.maybe(this.pick(["", "abc", ...this.pickles])));
    return object.pickle("key");
  }

  // Olm.

  doOutbound() {
    const us = this.below(2);
    const [ours, theirs] = [this.accounts[us], this.accounts[1 - us]];
    const keys = Object.values(JSON.parse(theirs.one_time_keys())[CURVE]);
    const oneTime = keys.length ? this.choice(keys) : "short";
    const identity = JSON.parse(theirs.identity_keys())[CURVE];
    const session = this.make("Session");
    session.create_outbound(ours, this.maybe(identity), this.maybe(oneTime));
    const message = session.encrypt("first");
    const other = this.make("Session");
    if (this.chance(0.5)) other.create_inbound(theirs, message.body);
    else other.create_inbound_from(theirs, JSON.parse(ours.identity_keys())[CURVE], message.body);
    this.sessions.push({ ends: [session, other], inboxes: [[], [message]] });
    this.messages.push(message);
    return [message, session.session_id(), session.pickle("key"), other.pickle("key")];
  }

  doInbound() {
    const account = this.account();
    const { type, body } = this.pick(this.messages);
    const message = this.damaged(body);
    const session = this.make("Session");
    if (this.chance(0.5)) session.create_inbound(account, this.maybe(message));
    else session.create_inbound_from(account, JSON.parse(account.identity_keys())[CURVE], message);
    const text = session.decrypt(type, message);
    return [session.session_id(), text, account.remove_one_time_keys(session)];
  }

  doEncrypt() {
    const { ends, inboxes } = this.pick(this.sessions);
    const end = this.below(2);
    const message = ends[end].encrypt(this.text());
    inboxes[1 - end].push(message);
    this.messages.push(message);
    return message;
  }

  doEncryptMore() {
    return this.doEncrypt();
  }

  doDecrypt() {
    const { ends, inboxes } = this.pick(this.sessions);
    const end = this.below(2);
    const { type, body } = this.pick(inboxes[end]);
    return ends[end].decrypt(this.maybe(type, WRONG_NUMBERS), this.maybe(this.damaged(body)));
  }

  doDecryptMore() {
    return this.doDecrypt();
  }

  doDecryptAnything() {
    const { type, body } = this.pick(this.messages);
    return this.pick(this.sessions).ends[this.below(2)].decrypt(type, body);
  }

  doMatch() {
    const session = this.pick(this.sessions).ends[this.below(2)];
    const message = this.maybe(this.pick(this.messages).body);
    if (this.chance(0.5)) return session.matches_inbound(message);
    return session.matches_inbound_from(JSON.parse(this.account().identity_keys())[CURVE], message);
  }

  doDescribe() {
    const session = this.pick(this.sessions).ends[this.below(2)];
    return [session.describe(), session.has_received_message()];
  }

  doRemove() {
    return this.account().remove_one_time_keys(this.pick(this.sessions).ends[1]);
  }

  doMoveSession() {
    const conversation = this.pick(this.sessions);
    const number = this.sessions.indexOf(conversation);
    const end = this.below(2);
    const session = this.make("Session");
    session.unpickle("move", this.damaged(this.partner.sessions[number].ends[end].pickle("move")));
    conversation.ends[end] = session;
    this.pickles.push(session.pickle("key"));
    return this.pickles.at(-1);
  }

  // Megolm. The original moves a receiver's ratchet in calls that fail and in exports, which its
  // pickle shows, so receivers are compared by what they do.

  doGroup() {
    const group = this.make("OutboundGroupSession");
    group.create();
    this.groups.push(group);
    const receiver = this.make("InboundGroupSession");
    receiver.create(this.damaged(group.session_key()));
    this.receivers.push(receiver);
    return [group.session_id(), group.session_key(), group.message_index(), group.pickle("key")];
  }

  doGroupEncrypt() {
    const group = this.pick(this.groups);
    this.events.push(group.encrypt(this.text()));
    return [this.events.at(-1), group.message_index(), group.session_key()];
  }

  doGroupEncryptMore() {
    return this.doGroupEncrypt();
  }

  doGroupDecrypt() {
    return this.pick(this.receivers).decrypt(this.maybe(this.damaged(this.pick(this.events))));
  }

  doGroupDecryptMore() {
    return this.doGroupDecrypt();
  }

  doExport() {
    const receiver = this.pick(this.receivers);
    const index = receiver.first_known_index() + this.below(5);
    const key = receiver.export_session(this.maybe(index, WRONG_NUMBERS));
    const imported = this.make("InboundGroupSession");
    imported.import_session(this.damaged(key));
    this.receivers.push(imported);
    return [key, imported.session_id(), imported.first_known_index()];
  }

  doMoveGroup() {
    const number = this.below(this.groups.length);
    const group = this.make("OutboundGroupSession");
    group.unpickle("move", this.damaged(this.partner.groups[number].pickle("move")));
    this.groups[number] = group;
    this.pickles.push(group.pickle("key"));
    return this.pickles.at(-1);
  }

  doMoveReceiver() {
    const number = this.below(this.receivers.length);
    const receiver = this.make("InboundGroupSession");
    receiver.unpickle("move", this.partner.receivers[number].pickle("move"));
    this.receivers[number] = receiver;
    return [receiver.session_id(), receiver.first_known_index()];
  }

  // Encryption to a key, signatures, verification.

  doBackup() {
    const backup = this.make("PkDecryption");
    const key = this.chance(0.5)
      ? backup.generate_key()
      : backup.init_with_private_key(new Uint8Array(this.choice([32, 32, 32, 31, 0])).fill(7));
    this.backups.push(backup);
    return [key, backup.get_private_key()];
  }

  doBackupMessage() {
    const backup = this.pick(this.backups);
    const encryption = this.make("PkEncryption");
    const key = backup.init_with_private_key(backup.get_private_key());
    encryption.set_recipient_key(this.maybe(key));
    const message = encryption.encrypt(this.text());
    const mac = this.maybe(this.damaged(message.mac));
    // Of a ciphertext that has no whole blocks, the original reads too much.
    const ciphertext = this.damaged(message.ciphertext, false);
    return [message, backup.decrypt(message.ephemeral, mac, ciphertext)];
  }

  doMoveBackup() {
    const number = this.below(this.backups.length);
    const backup = this.make("PkDecryption");
    const key = backup.unpickle("move", this.damaged(this.partner.backups[number].pickle("move")));
    this.backups[number] = backup;
    return [key, backup.pickle("key")];
  }

  doSigning() {
    const signing = this.make("PkSigning");
    const seeds = [signing.generate_seed(), new Uint8Array(5), new Uint8Array(40)];
    return [seeds[0], signing.init_with_seed(this.choice(seeds)), signing.sign(this.text())];
  }

  doVerification() {
    const number = this.below(2);
    this.verifications[number] = this.make("SAS");
    return [this.verifications[number].get_pubkey(), this.verifications[number].is_their_key_set()];
  }

  doTheirKey() {
    const number = this.below(2);
    const key = this.verifications[1 - number].get_pubkey();
    this.verifications[number].set_their_key(this.maybe(this.choice([key, key, "short"])));
    return this.verifications[number].is_their_key_set();
  }

  doSasBytes() {
    const length = this.maybe(this.choice([0, 1, 5, 6, 100]), WRONG_NUMBERS);
    return this.choice(this.verifications).generate_bytes(this.text(), length);
  }

  doSasMac() {
    const sas = this.choice(this.verifications);
    const values = [this.text(), this.text()];
    const names = ["calculate_mac", "calculate_mac_fixed_base64", "calculate_mac_long_kdf"];
    return sas[this.choice(names)](...values);
  }
}

/** Short results as they are, long ones by a hash. Bytes are shown as bytes, also in an object. */
function show(result) {
  const text = JSON.stringify(result, (_, value) => {
    if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
    return typeof value === "object" || value === undefined ? value : String(value);
  });
  if (text === undefined || text.length < 100) return String(text);
  return createHash("sha256").update(text).digest("base64");
}
