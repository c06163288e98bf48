//! Calls that libolm answers by reading or writing outside its buffers. They are made only on our
//! library.

use crate::{base64, call::Arg, notes::Notes, wire::has_identity_key};

const NO_IDENTITY_KEY: &str =
    "a pre-key message without identity key, beside one that the caller gives";
const PARTIAL_BLOCKS: &str =
    "PK ciphertext that is empty or not of whole blocks, under its true MAC";
const PADDED: &str = "PK ciphertext with correct padding, under its true MAC";
const SHORT_MAC: &str = "room for 8 to 10 of the 11 characters of a PK MAC";
const NULL: &str = "a null pointer with a length";
const HUGE: &str = "a length that overflows";

/// Why a call is not made on libolm.
pub fn reason(notes: &Notes, name: &str, args: &[Arg]) -> Option<&'static str> {
    if args.iter().any(|arg| matches!(arg, Arg::NullWithLength(_))) {
        return Some(NULL);
    }
    if args.iter().any(|arg| matches!(arg, Arg::Number(number) if *number > 1 << 40)) {
        return Some(HUGE);
    }
    let decoded = |place: usize| base64::decode(args[place].bytes()).unwrap_or_default();
    match name {
        "olm_create_inbound_session_from" => {
            let finds_none = !has_identity_key(&decoded(3));
            (finds_none && !args[3].bytes().is_empty()).then_some(NO_IDENTITY_KEY)
        }
        "olm_pk_decrypt" => {
            let whole = !decoded(3).is_empty() && decoded(3).len().is_multiple_of(16);
            let has_true_mac = notes.sealed.iter().any(|sealed| {
                base64::decode(&sealed.mac) == Some(decoded(2))
                    && base64::decode(&sealed.ephemeral_key) == Some(decoded(1))
            });
            let is_padded = base64::is_padded(args[3].bytes());
            let reason = if is_padded { PADDED } else { PARTIAL_BLOCKS };
            (!whole && has_true_mac).then_some(reason)
        }
        "olm_pk_encrypt" => (8..11).contains(&args[3].bytes().len()).then_some(SHORT_MAC),
        _ => None,
    }
}

/// Whether our library must refuse such a call. A message without identity key may do no harm,
/// padding is taken off, and lengths are only asked for.
pub fn must_fail(reason: &str) -> bool {
    matches!(reason, PARTIAL_BLOCKS | SHORT_MAC | NULL)
}
