/**
 * What a {@link MocerilError} can say. The first four are this package's; each of the others is the
 * name of a variant of the Rust library's errors, whose documentation says what to do about it.
 */
export const ERROR_CODES = [
  "Argument",
  "Freed",
  "NotInitialized",
  "Internal",
  "Algorithm",
  "Alphabet",
  "AlreadyUsed",
  "AnotherPeer",
  "AnotherSession",
  "Authentication",
  "Backup",
  "Base64",
  "Canonical",
  "Closed",
  "CreationTime",
  "CutOff",
  "Decryption",
  "Depth",
  "EmptyPassphrase",
  "Evicted",
  "Format",
  "IdentityKeyMismatch",
  "IdsExhausted",
  "InvalidSigningKey",
  "InvalidState",
  "Key",
  "Known",
  "Length",
  "LowOrder",
  "Mac",
  "Malformed",
  "Message",
  "MessageType",
  "Mismatch",
  "MissingMember",
  "MissingSignature",
  "NoHeader",
  "NonCanonical",
  "NonContributoryKey",
  "NotForUs",
  "NotOnCurve",
  "NotShared",
  "NotSigned",
  "NotText",
  "Number",
  "ObjectType",
  "OneTimeKeyIsIdentityKey",
  "OtherSession",
  "OwnKey",
  "OwnUser",
  "Parity",
  "Prefix",
  "PublicInSecret",
  "Random",
  "RecipientKeyMismatch",
  "RecipientMismatch",
  "Replayed",
  "RoomKey",
  "RoomMismatch",
  "Rounds",
  "SenderDeviceKeys",
  "SenderKey",
  "SenderKeyMismatch",
  "SenderKeyUnknown",
  "SenderMismatch",
  "SessionExhausted",
  "SessionId",
  "SessionKey",
  "SessionKeysMismatch",
  "Signature",
  "TooFarAhead",
  "TooMany",
  "TooShort",
  "Unconnected",
  "UnexpectedMember",
  "UnknownIndex",
  "UnknownOneTimeKey",
  "Unread",
  "Version",
  "VersionMismatch",
  "Withheld",
] as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

const codes: ReadonlySet<string> = new Set(ERROR_CODES);

/**
 * What a function of this package throws when it fails. Nothing has changed then, except with the
 * code `Internal`: an object may be half changed, and no call is let through any more.
 */
export class MocerilError extends Error {
  override readonly name = "MocerilError";

  /** For programs. The `message` is for people. */
  readonly code: ErrorCode;

  /** @internal */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * An error that the module reported, which has the code as its name; `undefined` for another one.
 *
 * @internal
 */
export function reported(error: unknown): MocerilError | undefined {
  return error instanceof Error && codes.has(error.name)
    ? new MocerilError(error.name as ErrorCode, error.message)
    : undefined;
}
