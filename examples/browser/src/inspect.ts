import { raw } from "../moceril/call.js";
import {
  Account,
  GroupSession,
  type OlmMessage,
  type PreKeyBundle,
  Session,
} from "../moceril/index.js";
import * as wasm from "../moceril/wasm/moceril_js.js";
import { hex } from "./log.js";

/** A chain of one end, and where it stands. */
export interface Chain {
  fingerprint: string;
  /** The number of the next message. */
  next: number;
}

/** The keys of one end of a session, as fingerprints. */
export interface Keys {
  root: string | undefined;
  sending: Chain | undefined;
  /** Newest first, with the beginning of the public ratchet key of each. */
  receiving: (Chain & { name: string })[];
  /** The keys of messages that have not arrived: number of the message, and fingerprint. */
  late: { chain: string; number: number; fingerprint: string }[];
}

interface RawChain {
  key: number[];
  index: number;
}

/** The part of vodozemac's form that is shown. */
interface Form {
  sending_ratchet: {
    type: "active" | "inactive";
    active_ratchet?: { root_key: number[]; ratchet_key: number[] };
    symmetric_key_ratchet?: RawChain;
    root_key?: { key: number[] };
  };
  receiving_chains: {
    inner: {
      ratchet_key: number[] | string;
      hkdf_ratchet: RawChain;
      skipped_message_keys: { inner: RawChain[] };
    }[];
  };
}

/** Eight digits by which equal keys are seen to be equal: the beginning of a hash. */
export async function fingerprint(bytes: ArrayLike<number>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
  const hex = [...hash.slice(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 4)} ${hex.slice(4)}`;
}

/** The beginning of a public key in base64. */
export const short = (text: string): string => `${text.slice(0, 6)}…`;

const base64 = (bytes: ArrayLike<number>): string =>
  btoa(String.fromCharCode(...Array.from(bytes))).replace(/=+$/, "");

/** Looks at the keys of a session. */
export async function inspect(session: Session): Promise<Keys> {
  const form = JSON.parse(raw(session, wasm.Session).inspect()) as Form;
  const { active_ratchet, symmetric_key_ratchet, root_key } = form.sending_ratchet;
  const root = active_ratchet?.root_key ?? root_key?.key;
  const keys: Keys = {
    root: root && (await fingerprint(root)),
    sending: symmetric_key_ratchet && {
      fingerprint: await fingerprint(symmetric_key_ratchet.key),
      next: symmetric_key_ratchet.index,
    },
    receiving: [],
    late: [],
  };
  for (const chain of form.receiving_chains.inner) {
    const { ratchet_key } = chain;
    const name = short(typeof ratchet_key === "string" ? ratchet_key : base64(ratchet_key));
    const { key, index } = chain.hkdf_ratchet;
    keys.receiving.push({ name, fingerprint: await fingerprint(key), next: index });
    for (const late of chain.skipped_message_keys.inner) {
      const print = await fingerprint(late.key);
      keys.late.push({ chain: name, number: late.index, fingerprint: print });
    }
  }
  keys.receiving.reverse();
  return keys;
}

const draw = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

/** An account, and the random bytes that it was made from. */
export function newAccount(): { account: Account; random: string } {
  const random = draw(64);
  return { account: new Account(wasm.Account.fromRandom(random)), random: hex(random) };
}

/** Makes one-time keys. Gives the random bytes that they were made from. */
export function giveOneTimeKeys(account: Account, count: number): string {
  const random = draw(32 * count);
  raw(account, wasm.Account).generateOneTimeKeysFrom(random);
  return hex(random);
}

/** The same for a fallback key. */
export function giveFallbackKey(account: Account): string {
  const random = draw(32);
  raw(account, wasm.Account).generateFallbackKeyFrom(random);
  return hex(random);
}

/** A session, and the random bytes that its first keys were made from. */
export function beginSession(
  account: Account,
  bundle: PreKeyBundle,
): { session: Session; random: string } {
  const random = draw(64);
  const ours = raw(account, wasm.Account);
  const made = ours.createOutboundSessionFrom(raw(bundle, wasm.PreKeyBundle), random);
  return { session: new Session(made), random: hex(random) };
}

/** A group session, and the random bytes that it was made from. */
export function newGroup(): { group: GroupSession; random: string } {
  const random = draw(160);
  return { group: new GroupSession(wasm.GroupSession.fromRandom(random)), random: hex(random) };
}

/**
 * Encrypts a message. Gives the fingerprint of its key, which the session has deleted, and the
 * random bytes of the chain that it begins, or `-`.
 */
export async function encryptShowingKey(
  session: Session,
  plaintext: Uint8Array,
): Promise<{ message: OlmMessage; key: string; random: string }> {
  const random = draw(32);
  const made = raw(session, wasm.Session).encryptShowingKey(plaintext, random) as {
    type: number;
    body: string;
    key: Uint8Array;
    drew: boolean;
  };
  const { type, body, key, drew } = made;
  return { message: { type, body }, key: await fingerprint(key), random: drew ? hex(random) : "-" };
}

/** What a copy of this end reads of a message that the end itself sends from its present chain. */
export function readOwn(session: Session, message: OlmMessage): Uint8Array | undefined {
  return raw(session, wasm.Session).readOwn(message.type, message.body) ?? undefined;
}

/** The four parts of a group ratchet, as fingerprints, from an exported key. */
export async function parts(exported: string): Promise<string[]> {
  const bytes = Uint8Array.from(atob(exported), (letter) => letter.charCodeAt(0));
  return Promise.all([0, 1, 2, 3].map((i) => fingerprint(bytes.slice(5 + 32 * i, 37 + 32 * i))));
}
