// The types of @matrix-org/olm 3.2.15. A test compares them with the original's and with the code.

export as namespace Olm;

export class Account {
    constructor();
    /** Wipes the object, which cannot be used any more. */
    free(): void;
    /** Makes new identity keys. */
    create(): void;
    /** JSON: `{"curve25519": ..., "ed25519": ...}`. */
    identity_keys(): string;
    /** The Ed25519 signature, in base64. A `Uint8Array` is overwritten with zeros. */
    sign(message: string | Uint8Array): string;
    /** JSON of those that are not published: `{"curve25519": {ID: KEY, ...}}`. */
    one_time_keys(): string;
    mark_keys_as_published(): void;
    max_number_of_one_time_keys(): number;
    generate_one_time_keys(number_of_keys: number): void;
    /** Forgets the one-time key that this session has used. */
    remove_one_time_keys(session: Session): void;
    generate_fallback_key(): void;
    /** JSON, as of the one-time keys, of the current one, be it published or not. */
    fallback_key(): string;
    unpublished_fallback_key(): string;
    forget_old_fallback_key(): void;
    /** The object, encrypted with the key. A `Uint8Array` is overwritten with zeros. */
    pickle(key: string | Uint8Array): string;
    unpickle(key: string | Uint8Array, pickle: string): void;
}

export class Session {
    constructor();
    free(): void;
    pickle(key: string | Uint8Array): string;
    unpickle(key: string | Uint8Array, pickle: string): void;
    create_outbound(
        account: Account, their_identity_key: string, their_one_time_key: string,
    ): void;
    create_inbound(account: Account, one_time_key_message: string): void;
    create_inbound_from(
        account: Account, identity_key: string, one_time_key_message: string,
    ): void;
    session_id(): string;
    has_received_message(): boolean;
    matches_inbound(one_time_key_message: string): boolean;
    matches_inbound_from(identity_key: string, one_time_key_message: string): boolean;
    /** The type is 0 for a pre-key message, else 1. */
    encrypt(plaintext: string): { type: 0 | 1; body: string };
    decrypt(message_type: number, message: string): string;
    describe(): string;
}

export class Utility {
    constructor();
    free(): void;
    /** A `Uint8Array` is overwritten with zeros. */
    sha256(input: string | Uint8Array): string;
    /** Throws an error if the signature is wrong. A `Uint8Array` is overwritten with zeros. */
    ed25519_verify(key: string, message: string | Uint8Array, signature: string): void;
}

export class InboundGroupSession {
    constructor();
    free(): void;
    pickle(key: string | Uint8Array): string;
    unpickle(key: string | Uint8Array, pickle: string): void;
    /** Returns nothing, as in the original, whose types say otherwise. */
    create(session_key: string): string;
    /** Returns nothing, as in the original, whose types say otherwise. */
    import_session(session_key: string): string;
    decrypt(message: string): { message_index: number; plaintext: string };
    session_id(): string;
    first_known_index(): number;
    export_session(message_index: number): string;
}

export class OutboundGroupSession {
    constructor();
    free(): void;
    pickle(key: string | Uint8Array): string;
    unpickle(key: string | Uint8Array, pickle: string): void;
    create(): void;
    encrypt(plaintext: string): string;
    session_id(): string;
    session_key(): string;
    message_index(): number;
}

export class PkEncryption {
    constructor();
    free(): void;
    set_recipient_key(key: string): void;
    encrypt(plaintext: string): { ciphertext: string; mac: string; ephemeral: string };
}

export class PkDecryption {
    constructor();
    free(): void;
    /** Returns the public key. */
    init_with_private_key(key: Uint8Array): string;
    generate_key(): string;
    get_private_key(): Uint8Array;
    pickle(key: string | Uint8Array): string;
    unpickle(key: string | Uint8Array, pickle: string): string;
    decrypt(ephemeral_key: string, mac: string, ciphertext: string): string;
}

export class PkSigning {
    constructor();
    free(): void;
    /** Returns the public key. */
    init_with_seed(seed: Uint8Array): string;
    generate_seed(): Uint8Array;
    sign(message: string): string;
}

export class SAS {
    constructor();
    free(): void;
    get_pubkey(): string;
    set_their_key(their_key: string): void;
    generate_bytes(info: string, length: number): Uint8Array;
    calculate_mac(input: string, info: string): string;
    calculate_mac_fixed_base64(input: string, info: string): string;
    calculate_mac_long_kdf(input: string, info: string): string;
}

/** Loads the WebAssembly. Nothing else works before. */
export function init(opts?: object): Promise<void>;

export function get_library_version(): [number, number, number];

export const PRIVATE_KEY_LENGTH: number;
