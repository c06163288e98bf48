import { type IdentityKeys, identityKeys } from "./account.js";
import {
  bytes,
  call,
  flag,
  members,
  number,
  Owned,
  Pickled,
  raw,
  seconds,
  text,
  texts,
} from "./call.js";
import { MocerilError, reported } from "./errors.js";
import type { ExportedRoomKey } from "./room-keys.js";
import * as wasm from "./wasm/moceril_js.js";

/**
 * Where the key of an inbound group session came from: `signed` by its sender, or from a file or a
 * backup, where nothing shows who made it.
 */
export type Provenance = "signed" | "exported" | "backup" | "unknown";

/** How two sessions of one id relate: the better one can decrypt more. */
export type SessionOrdering = "equal" | "better" | "worse" | "unconnected";

/** What a {@link ReplayGuard} knows about an event that it does not refuse. */
export type ReplayVerdict = "first" | "again" | "first-not-remembered" | "unknown";

/** The verified content of an event of a room. */
export interface RoomPayload {
  type: string;
  /** The content, a JSON object, as text. */
  content: string;
}

/** What {@link InboundGroupSession.exportRoomKey} is told besides the room. */
export interface ExportOptions {
  /** The keys of the sender's device. Without them, others cannot show who sent a message. */
  sender?: IdentityKeys;
  /** Whether the key may be given to users who join the room later: as the sender has said. */
  sharedHistory?: boolean;
  /** The first message that the key decrypts; the first one known if not given. */
  index?: number;
}

/** The sending end of a group session. */
export class GroupSession extends Pickled {
  /**
   * Makes a session.
   *
   * @param createdAt the time now, in seconds since 1970
   */
  constructor(createdAt: number);
  /** @internal */
  constructor(made: number | wasm.GroupSession);
  constructor(made: number | wasm.GroupSession) {
    super(made instanceof wasm.GroupSession ? made : newGroup(made), wasm.GroupSession);
  }

  /** Reads what {@link Pickled.pickle} wrote, with the same key and context. */
  static fromPickle(pickle: string, key: Uint8Array, context: Uint8Array): GroupSession {
    const [p, k, c] = [text(pickle, "pickle"), bytes(key, "key"), bytes(context, "context")];
    return new GroupSession(call(() => wasm.GroupSession.fromPickle(p, k, c)));
  }

  /** Reads a pickle of libolm, such as those of the package `@matrix-org/olm`. */
  static fromLibolmPickle(pickle: string, key: Uint8Array): GroupSession {
    const [p, k] = [text(pickle, "pickle"), bytes(key, "key")];
    return new GroupSession(call(() => wasm.GroupSession.fromLibolmPickle(p, k)));
  }

  /** The id of the session, the same at all ends. */
  get sessionId(): string {
    return call(() => raw(this, wasm.GroupSession).sessionId());
  }

  /** The key that makes a receiving end, from the next message on. Send it over Olm. */
  get sessionKey(): string {
    return call(() => raw(this, wasm.GroupSession).sessionKey());
  }

  /**
   * The content of an event `m.room_key`, as JSON, with the {@link sessionKey}. Send it over Olm to
   * each device of the room, with {@link encodePayload}.
   *
   * @param sharedHistory whether the key may be given to users who join the room later
   */
  roomKey(roomId: string, sharedHistory = false): string {
    const [room, shared] = [text(roomId, "roomId"), flag(sharedHistory, "sharedHistory")];
    return call(() => raw(this, wasm.GroupSession).roomKey(room, shared));
  }

  /** The index of the next message. */
  get messageIndex(): number {
    return call(() => raw(this, wasm.GroupSession).messageIndex());
  }

  /**
   * When the session was made, in seconds since 1970; `undefined` for a session from a libolm
   * pickle. Such a session is always due for rotation, until {@link setCreatedAt} says its time.
   */
  get createdAt(): bigint | undefined {
    return call(() => raw(this, wasm.GroupSession).createdAt());
  }

  /**
   * States when the session was made, in seconds since 1970, while that is not known. Throws
   * `CreationTime` if another time is known.
   */
  setCreatedAt(createdAt: number): void {
    const time = seconds(createdAt, "createdAt");
    call(() => raw(this, wasm.GroupSession).setCreatedAt(time));
  }

  /** Whether the session has had so many messages, or is so old, that a new one is due. */
  rotationDue(messages: number, age: number, now: number): boolean {
    const [m, a, n] = [number(messages, "messages"), seconds(age, "age"), seconds(now, "now")];
    return call(() => raw(this, wasm.GroupSession).rotationDue(m, a, n));
  }

  /** Encrypts a message for everybody who has the key. **Store the session before you send.** */
  encrypt(plaintext: Uint8Array): string {
    const p = bytes(plaintext, "plaintext");
    return call(() => raw(this, wasm.GroupSession).encrypt(p));
  }
}

function newGroup(createdAt: number): wasm.GroupSession {
  const time = seconds(createdAt, "createdAt");
  return call(() => new wasm.GroupSession(time));
}

/** A receiving end of a group session. */
export class InboundGroupSession extends Pickled {
  /** Makes the end from a {@link GroupSession.sessionKey}, whose signature is verified. */
  constructor(sessionKey: string);
  /** @internal */
  constructor(made: string | wasm.InboundGroupSession);
  constructor(made: string | wasm.InboundGroupSession) {
    super(
      made instanceof wasm.InboundGroupSession ? made : newInbound(made),
      wasm.InboundGroupSession,
    );
  }

  /** Makes the end from an exported key. Nothing shows who made it: see {@link provenance}. */
  static import(exported: string): InboundGroupSession {
    const e = text(exported, "exported");
    return new InboundGroupSession(call(() => wasm.InboundGroupSession.import(e)));
  }

  /** Like {@link import}, for a key from a backup. */
  static importFromBackup(exported: string): InboundGroupSession {
    const e = text(exported, "exported");
    return new InboundGroupSession(call(() => wasm.InboundGroupSession.importFromBackup(e)));
  }

  /** Reads what {@link Pickled.pickle} wrote, with the same key and context. */
  static fromPickle(pickle: string, key: Uint8Array, context: Uint8Array): InboundGroupSession {
    const [p, k, c] = [text(pickle, "pickle"), bytes(key, "key"), bytes(context, "context")];
    return new InboundGroupSession(call(() => wasm.InboundGroupSession.fromPickle(p, k, c)));
  }

  /** Reads a pickle of libolm, such as those of the package `@matrix-org/olm`. */
  static fromLibolmPickle(pickle: string, key: Uint8Array): InboundGroupSession {
    const [p, k] = [text(pickle, "pickle"), bytes(key, "key")];
    return new InboundGroupSession(call(() => wasm.InboundGroupSession.fromLibolmPickle(p, k)));
  }

  /** The id of the session, the same at all ends. */
  get sessionId(): string {
    return call(() => raw(this, wasm.InboundGroupSession).sessionId());
  }

  /** The key that signs the session's messages. */
  get signingKey(): string {
    return call(() => raw(this, wasm.InboundGroupSession).signingKey());
  }

  /** The first message that can be decrypted. */
  get firstKnownIndex(): number {
    return call(() => raw(this, wasm.InboundGroupSession).firstKnownIndex());
  }

  /** Where the key came from. */
  get provenance(): Provenance {
    return call(() => raw(this, wasm.InboundGroupSession).provenance() as Provenance);
  }

  /** Where the key of this message came from; `undefined` if it is not known. */
  provenanceAt(index: number): Provenance | undefined {
    const i = number(index, "index");
    return call(
      () => raw(this, wasm.InboundGroupSession).provenanceAt(i) as Provenance | undefined,
    );
  }

  /**
   * States where the key came from, for a session from a libolm pickle, which does not say it.
   * Throws `Known` if another provenance is known, and `NotSigned` for `signed` if the owner of the
   * key has not signed with it.
   *
   * That `signed` is accepted proves nothing. State it only if the old store says that the whole
   * key came from its owner over Olm.
   */
  setProvenance(provenance: Provenance): void {
    const p = text(provenance, "provenance");
    call(() => raw(this, wasm.InboundGroupSession).setProvenance(p));
  }

  /** Decrypts a message. The same message decrypts again: see {@link ReplayGuard}. */
  decrypt(message: string): DecryptedGroupMessage {
    const m = text(message, "message");
    return new DecryptedGroupMessage(call(() => raw(this, wasm.InboundGroupSession).decrypt(m)));
  }

  /** Decrypts many messages, which is much cheaper: a result or an error for each, in order. */
  decryptBatch(messages: string[]): (DecryptedGroupMessage | MocerilError)[] {
    const m = texts(messages, "messages");
    return each(call(() => raw(this, wasm.InboundGroupSession).decryptBatch(m))).map((result) =>
      result instanceof MocerilError
        ? result
        : new DecryptedGroupMessage(result as wasm.DecryptedGroupMessage),
    );
  }

  /**
   * The key from this message on, or from the first one known, for a file, a backup or a device
   * that joins late.
   */
  exportAt(index?: number): string {
    const i = index === undefined ? undefined : number(index, "index");
    return call(() => {
      const session = raw(this, wasm.InboundGroupSession);
      return session.exportAt(i ?? session.firstKnownIndex());
    });
  }

  /** The key with what is known about it, for a file or a backup. */
  exportRoomKey(roomId: string, options: ExportOptions = {}): ExportedRoomKey {
    const room = text(roomId, "roomId");
    const { sender, sharedHistory, index } = members(options, "options");
    const keys = sender === undefined ? [] : identityKeys(sender, "options.sender");
    const shared = sharedHistory !== undefined && flag(sharedHistory, "options.sharedHistory");
    const i = index === undefined ? undefined : number(index, "options.index");
    return call(() => {
      const session = raw(this, wasm.InboundGroupSession);
      const at = i ?? session.firstKnownIndex();
      return session.exportRoomKey(room, at, keys[0], keys[1], shared) as ExportedRoomKey;
    });
  }

  /** Forgets the keys before this message. Returns whether there were any. */
  advanceTo(index: number): boolean {
    const i = number(index, "index");
    return call(() => raw(this, wasm.InboundGroupSession).advanceTo(i));
  }

  /** Forgets all keys. */
  close(): void {
    call(() => raw(this, wasm.InboundGroupSession).close());
  }

  /** Whether all keys were forgotten. */
  get isClosed(): boolean {
    return call(() => raw(this, wasm.InboundGroupSession).isClosed());
  }

  /** How this session relates to another one. */
  compare(other: InboundGroupSession): SessionOrdering {
    const them = () => raw(other, wasm.InboundGroupSession);
    return call(() => raw(this, wasm.InboundGroupSession).compare(them()) as SessionOrdering);
  }

  /**
   * One session that can decrypt what either can; `undefined` if they are not one session. Throws
   * `Closed` if one of them is closed. Both stay as they are.
   *
   * Whoever writes a backup can put another key under the id of a session. It must not keep out the
   * key that the owner of the id signed. To find what to store under the id of both:
   *
   * ```ts
   * function united(old: InboundGroupSession, received: InboundGroupSession): InboundGroupSession {
   *   const merged = old.merge(received);
   *   if (merged) return merged; // two copies of one session
   *   if (received.replaces(old)) return received; // signed by the owner, which the old one is not
   *   return old;
   * }
   * ```
   */
  merge(other: InboundGroupSession): InboundGroupSession | undefined {
    const merged = call(() =>
      raw(this, wasm.InboundGroupSession).merge(raw(other, wasm.InboundGroupSession)),
    );
    return merged && new InboundGroupSession(merged);
  }

  /**
   * Whether this session must take the place of another one with the same id, with which it cannot
   * be merged: the owner of the id signed the key of this one, and is not known to have signed that
   * of the other one. A closed session neither replaces another nor is replaced.
   */
  replaces(other: InboundGroupSession): boolean {
    const them = () => raw(other, wasm.InboundGroupSession);
    return call(() => raw(this, wasm.InboundGroupSession).replaces(them()));
  }
}

function newInbound(sessionKey: string): wasm.InboundGroupSession {
  const key = text(sessionKey, "sessionKey");
  return call(() => new wasm.InboundGroupSession(key));
}

/**
 * The results of a list, in which errors stand where they happened.
 *
 * @internal
 */
export function each(results: unknown[]): unknown[] {
  return results.map((result) => reported(result) ?? result);
}

/** The plaintext of a group message, and what was authenticated together with it. */
export class DecryptedGroupMessage extends Owned {
  /** @internal */
  constructor(made: wasm.DecryptedGroupMessage) {
    super(made, wasm.DecryptedGroupMessage);
  }

  /** A fresh copy of the plaintext. */
  get plaintext(): Uint8Array {
    return call(() => raw(this, wasm.DecryptedGroupMessage).plaintext());
  }

  /** The index of the message in its session. */
  get messageIndex(): number {
    return call(() => raw(this, wasm.DecryptedGroupMessage).messageIndex());
  }

  /** Where the key of the message came from. */
  get provenance(): Provenance {
    return call(() => raw(this, wasm.DecryptedGroupMessage).provenance() as Provenance);
  }

  /** The key that signed the message. */
  get signingKey(): string {
    return call(() => raw(this, wasm.DecryptedGroupMessage).signingKey());
  }

  /** 32 bytes that differ for every other message. */
  get fingerprint(): Uint8Array {
    return call(() => raw(this, wasm.DecryptedGroupMessage).fingerprint());
  }

  /**
   * Checks that the event was written for the room in which it was found: a server could move it to
   * another. The payload does not name the sender: that is the user whose device sent the key.
   */
  verifyPayload(roomId: string): RoomPayload {
    const room = text(roomId, "roomId");
    return call(() => raw(this, wasm.DecryptedGroupMessage).verifyPayload(room) as RoomPayload);
  }
}

/** The plaintext of an event in a room. `content` is a JSON object, as text. */
export function encodeRoomPayload(type: string, content: string, roomId: string): Uint8Array {
  const [t, c, room] = [text(type, "type"), text(content, "content"), text(roomId, "roomId")];
  return call(() => wasm.encodeRoomPayload(t, c, room));
}

/** Detects when a message of a session is presented a second time as another event. */
export class ReplayGuard extends Pickled {
  /**
   * A guard of this session.
   *
   * @param capacity how many messages it remembers; 4,096 if not given
   */
  constructor(session: InboundGroupSession, capacity?: number);
  /** @internal */
  constructor(made: InboundGroupSession | wasm.ReplayGuard, capacity?: number);
  constructor(made: InboundGroupSession | wasm.ReplayGuard, capacity?: number) {
    super(made instanceof wasm.ReplayGuard ? made : newGuard(made, capacity), wasm.ReplayGuard);
  }

  /** Reads what {@link Pickled.pickle} wrote, for the same session. */
  static fromPickle(
    pickle: string,
    key: Uint8Array,
    context: Uint8Array,
    session: InboundGroupSession,
  ): ReplayGuard {
    const [p, k, c] = [text(pickle, "pickle"), bytes(key, "key"), bytes(context, "context")];
    const s = () => raw(session, wasm.InboundGroupSession);
    return new ReplayGuard(call(() => wasm.ReplayGuard.fromPickle(p, k, c, s())));
  }

  /** Checks a decrypted event, and remembers it. A replay throws `Replayed`. */
  check(message: DecryptedGroupMessage, eventId: string): ReplayVerdict {
    const id = text(eventId, "eventId");
    const m = () => raw(message, wasm.DecryptedGroupMessage);
    return call(() => raw(this, wasm.ReplayGuard).check(m(), id) as ReplayVerdict);
  }

  /** How many messages the guard remembers. */
  get capacity(): number {
    return call(() => raw(this, wasm.ReplayGuard).capacity());
  }

  /** Lets the guard remember more messages. */
  raiseCapacity(capacity: number): void {
    const c = number(capacity, "capacity");
    call(() => raw(this, wasm.ReplayGuard).raiseCapacity(c));
  }
}

function newGuard(session: InboundGroupSession, capacity?: number): wasm.ReplayGuard {
  const c = capacity === undefined ? undefined : number(capacity, "capacity");
  return call(() => {
    const of = raw(session, wasm.InboundGroupSession);
    return new wasm.ReplayGuard(of, c ?? wasm.ReplayGuard.defaultCapacity());
  });
}
