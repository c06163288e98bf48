import { call, members, text } from "./call.js";
import { messageParts, type OlmMessage } from "./session.js";
import * as wasm from "./wasm/moceril_js.js";

/** What an event `m.room.encrypted` holds for one device. */
export interface OlmContent {
  /**
   * The Curve25519 key of the device that claims to have sent the event. Decryption proves the
   * claim: first with the session, then with {@link DecryptedMessage.verifyPayload}.
   */
  senderKey: string;
  message: OlmMessage;
}

/** What an event `m.room.encrypted` holds for a room. */
export interface MegolmContent {
  /** The id of the session, according to the event. */
  sessionId: string;
  /** The message in base64. */
  message: string;
  /** A JSON object, as text, with the other members, such as `m.relates_to`: not encrypted. */
  other?: string;
}

/** When a group session is to be replaced, for {@link GroupSession.rotationDue}. */
export interface RotationPolicy {
  /** After so many messages. */
  messages: number;
  /** At this age, in seconds. */
  age: number;
}

/**
 * Reads the content of an event `m.room.encrypted`, as JSON, that was sent to our device.
 *
 * @param recipient our Curve25519 identity key
 */
export function readOlmContent(json: string, recipient: string): OlmContent {
  const [j, r] = [text(json, "json"), text(recipient, "recipient")];
  return call(() => wasm.readOlmContent(j, r) as OlmContent);
}

/**
 * The content of an event `m.room.encrypted` for one device, as JSON.
 *
 * @param content our Curve25519 identity key, and the message that the session gave
 * @param recipient the Curve25519 identity key of the device to which the event is sent
 */
export function writeOlmContent(content: OlmContent, recipient: string): string {
  const { senderKey, message } = members(content, "content");
  const key = text(senderKey, "content.senderKey");
  const [type, body] = messageParts(message);
  const r = text(recipient, "recipient");
  return call(() => wasm.writeOlmContent(key, type, body, r));
}

/** Reads the content of an event `m.room.encrypted` of a room, as JSON. */
export function readMegolmContent(json: string): MegolmContent {
  const j = text(json, "json");
  return call(() => wasm.readMegolmContent(j) as MegolmContent);
}

/** The content of an event `m.room.encrypted` for a room, as JSON. */
export function writeMegolmContent(content: MegolmContent): string {
  const { sessionId, message, other } = members(content, "content");
  const [id, m] = [text(sessionId, "content.sessionId"), text(message, "content.message")];
  const o = other === undefined ? "{}" : text(other, "content.other");
  return call(() => wasm.writeMegolmContent(id, m, o));
}

/**
 * What the content of a room's `m.room.encryption`, as JSON, asks for. A number that is missing, or
 * does not fit, counts as the default: 100 messages, one week.
 *
 * Whoever may change the room's state chooses the numbers, also large ones. A client that lets a
 * room ask for more frequent changes only takes the smaller of each number and the default.
 */
export function readRotationPolicy(json: string): RotationPolicy {
  const j = text(json, "json");
  const { messages, age } = call(
    () => wasm.readRotationPolicy(j) as { messages: number; age: bigint },
  );
  return { messages, age: Math.min(Number(age), Number.MAX_SAFE_INTEGER) };
}
