//! Where the page says what differs: the lines of "Where it differs" in `README.md`, by the
//! beginning of their first cell or of their bold text. The tests of the library hold both lists
//! complete (`src/tests/page.rs`).

/// For each rule in `allowed.rs`, the lines that say what it allows.
pub const RULES: &[(&str, &[&str])] = &[
    ("object-size", &["Sizes of objects"]),
    // Debian's version of libolm has another number: nothing of ours differs.
    ("library-version", &[]),
    (
        "strict-messages",
        &[
            "messages with a field that is repeated",
            "something left over between the fields and the MAC",
            "pre-key messages whose outer version is not 3",
            "Curve25519 keys that are of low order",
            "If a call has two errors",
        ],
    ),
    ("padded-messages", &["Correct padding"]),
    ("recipient-key-length", &["a recipient's key of more than 43 characters"]),
    ("length-of-a-refused-message", &["`olm_decrypt_max_plaintext_length`"]),
    ("keys-of-another-session", &["pre-key messages whose three keys are not the session's"]),
    ("curve25519-keys", &["Curve25519 keys that are of low order", "If a call has two errors"]),
    ("ed25519-keys", &["Ed25519 keys of small order"]),
    ("ed25519-signatures", &["Ed25519 keys of small order"]),
    ("pk-padding", &["padding that is not PKCS#7's"]),
    ("pickle-padding", &["padding that is not PKCS#7's", "If a call has two errors"]),
    ("pickle-keys", &["pickles with keys that are refused elsewhere", "If a call has two errors"]),
    ("pickle-consistency", &["pickles with keys that are refused elsewhere"]),
    ("pickle-order", &["A pickle is written back", "Skipped message keys"]),
    ("most-one-time-keys", &["More than 100 one-time keys"]),
    ("pickle-clamping", &["A pickle is written back"]),
    ("corrupted-pickle-is-reported", &["CORRUPTED_PICKLE"]),
    ("last-index", &["the last message index"]),
    ("last-index-of-olm", &["the last message index"]),
    ("skipped-keys-of-gone-chains", &["Skipped message keys"]),
    ("one-time-key-is-identity-key", &["a one-time key that is the identity key"]),
    ("hkdf-limit", &["more than the 8,160 bytes"]),
    ("far-indices", &["`olm_export_inbound_group_session`"]),
    ("no-wrapped-indices", &["Message indices"]),
    (
        "blank-objects",
        &[
            "signing, generating",
            "`olm_encrypt`, `olm_group_encrypt`",
            "the rest",
            "If a call has two errors",
        ],
    ),
    ("padding-not-written", &["Input buffers"]),
    ("pk-ciphertext-room", &["Input buffers"]),
    ("own-sas-key", &["the object's own key, sent back"]),
    ("new-state-replaces-old", &["New state replaces old"]),
    ("export-is-a-query", &["`olm_export_inbound_group_session`"]),
    ("failed-calls-change-nothing", &["Failing calls"]),
    ("failed-calls-write-nothing", &["Failing calls"]),
];

/// The same for the calls that `excluded.rs` does not make on libolm, by the name of the constant.
pub const EXCLUDED: &[(&str, &[&str])] = &[
    ("NO_IDENTITY_KEY", &["A pre-key message without its sender's key"]),
    ("PARTIAL_BLOCKS", &["padding that is not PKCS#7's"]),
    ("PADDED", &["Correct padding"]),
    ("SHORT_MAC", &["room for less than the 11 characters"]),
    ("NULL", &["a null pointer with a length"]),
    ("HUGE", &["a null pointer with a length"]),
];

/// Lines that no call of the differential test meets, and why.
pub const NOT_MET: &[(&str, &str)] = &[
    ("a null pointer for an object", "libolm would crash; `tests/sweep.cpp` makes these calls"),
    ("A fallback key", "both libraries do the same: it is moceril's own API that does more"),
];
