//! The deliberate differences: the one table of what ours does otherwise than libolm, with the
//! reason.
//!
//! A rule looks at the arguments of a call and at what both libraries did, and says whether it
//! explains a difference. It must not explain more than its reason covers: where the arguments are
//! ordinary, everything has to be equal.

use crate::{
    base64,
    call::Arg,
    functions::Parameter,
    keys::is_good_signature,
    oddities::{Oddity, sender_index},
    pickle::{self, STATE_KEY},
    seen::{Difference, Seen},
    wire,
};

struct Rule {
    name: &'static str,
    /// What ours does, and why.
    reason: &'static str,
    explains: fn(&Seen<'_>, Difference) -> bool,
}

const RULES: &[Rule] = &[
    Rule {
        name: "object-size",
        reason: "Sizes of objects are each library's own.",
        explains: |seen, found| {
            let name = &*seen.function.name;
            found == Difference::Value && name.ends_with("_size") && seen.args.is_empty()
        },
    },
    Rule {
        name: "library-version",
        reason: "Debian's libolm is 3.2.13, of the same sources as 3.2.16.",
        explains: |seen, found| {
            let is_patch = found == Difference::Buffer(2) && seen.real.buffers[2] == [13];
            seen.function.name == "olm_get_library_version" && is_patch
        },
    },
    Rule {
        name: "strict-messages",
        reason: "S-07, S-01: a message with repeated, missing, mistyped or over-long fields, something left over, \
                 or a key that is not canonical or of low order is refused.",
        explains: |seen, _| !seen.message_is_strict() && seen.ours_refuses(),
    },
    Rule {
        name: "padded-messages",
        reason: "S-44: correct padding behind a normal message or a group message is taken off. libolm takes it for \
                 bytes, so that the MAC or the signature is not where it looks.",
        explains: |seen, _| {
            let ends_in_a_mac = seen.message().is_some_and(|(message, text)| {
                message != wire::Message::PreKey && base64::is_padded(text)
            });
            // The bytes before the MAC that libolm finds may look like a field once more.
            let errors = ["BAD_MESSAGE_MAC", "BAD_SIGNATURE", "BAD_MESSAGE_FORMAT"];
            let asks_length = seen.function.name.ends_with("_max_plaintext_length");
            let fails = seen.real.failed() && errors.contains(&seen.real.error());
            ends_in_a_mac && (asks_length || fails)
        },
    },
    Rule {
        name: "recipient-key-length",
        reason: "S-44: a recipient's key is 43 digits, behind which no other digit may stand. Of a longer text, such as a \
                 key that was encoded twice, libolm takes the first 43.",
        explains: |seen, _| {
            let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            let is_longer = || {
                let end = seen.args[1].bytes().get(43..);
                end.is_some_and(|end| end.iter().any(is_digit))
            };
            seen.function.name == "olm_pk_encryption_set_recipient_key"
                && is_longer()
                && seen.ours_refuses()
                && seen.ours.error() == "INVALID_BASE64"
        },
    },
    Rule {
        name: "length-of-a-refused-message",
        reason: "For a message that decryption refuses for its keys or versions, the length is an upper bound.",
        explains: |seen, _| {
            seen.function.name == "olm_decrypt_max_plaintext_length"
                && !seen.message_is_strict()
                && !seen.ours.failed()
                && (seen.real.failed() || seen.ours.number() > seen.real.number())
        },
    },
    Rule {
        name: "keys-of-another-session",
        reason: "S-09: a pre-key message is decrypted only by the session that its three outer keys name.",
        explains: |seen, _| {
            let differ = || {
                let (message, text) = seen.message()?;
                let message = wire::readable(message, text)?;
                let session = pickle::open(&seen.states.first()?.ours, STATE_KEY)?;
                Some(wire::outer_keys(&message)? != session.get(5..5 + 96)?)
            };
            seen.function.name == "olm_decrypt" && seen.ours_refuses() && differ() == Some(true)
        },
    },
    Rule {
        name: "curve25519-keys",
        reason: "S-01: a Curve25519 key that is of low order or not canonical is refused wherever it comes in.",
        explains: |seen, _| seen.has_bad_curve25519_key() && seen.ours_refuses(),
    },
    Rule {
        name: "ed25519-keys",
        reason: "S-14: an Ed25519 key of low order or not canonical is refused, in session keys too.",
        explains: |seen, _| seen.has_bad_ed25519_key() && seen.ours_refuses(),
    },
    Rule {
        name: "ed25519-signatures",
        reason: "S-14: S must be reduced and R not of low order.",
        explains: |seen, _| {
            let is_verification = seen.function.name == "olm_ed25519_verify";
            let is_bad = || {
                base64::decode(seen.args[3].bytes()).is_some_and(|text| !is_good_signature(&text))
            };
            is_verification && is_bad() && seen.ours_refuses()
        },
    },
    Rule {
        name: "pk-padding",
        reason: "All of the PKCS#7 padding is checked, not only its length.",
        explains: |seen, _| {
            // libolm writes the padded plaintext.
            let padded = || {
                let length = base64::decode(seen.args[3].bytes()).unwrap_or_default().len();
                pickle::unpad(&seen.real.buffers[4][..length]).is_none()
            };
            seen.function.name == "olm_pk_decrypt"
                && !seen.real.failed()
                && padded()
                && seen.ours_refuses()
        },
    },
    Rule {
        name: "pickle-padding",
        reason: "All of the PKCS#7 padding is checked, not only its length.",
        explains: |seen, _| {
            let is_bad = |padded: Vec<u8>| pickle::unpad(&padded).is_none();
            seen.padded_pickle().is_some_and(is_bad)
                && seen.ours_refuses()
                && seen.ours.error() == "BAD_ACCOUNT_KEY"
        },
    },
    Rule {
        name: "pickle-keys",
        reason: "S-14, S-37, S-01: a pickle whose private key does not belong to its public one, or whose \
                 public key is refused elsewhere, is refused. That libolm wrote it is possible only for a blank object.",
        explains: |seen, _| {
            let odd = seen.has_oddity(&[Oddity::Pair, Oddity::RefusedKey]);
            odd && seen.ours_refuses() && seen.ours.error() == "CORRUPTED_PICKLE"
        },
    },
    Rule {
        name: "pickle-consistency",
        reason: "A state that no sequence of calls leads to is refused.",
        explains: |seen, _| {
            use Oddity::{Chains, Ids, Length, Ratchets, Skipped, TooMany};
            // libolm reads a list that ends before its count does.
            let is_short = !seen.real.failed() && seen.has_oddity(&[Length]);
            let odd = is_short || seen.has_oddity(&[Chains, Ids, Ratchets, Skipped, TooMany]);
            odd && seen.ours_refuses() && seen.ours.error() == "CORRUPTED_PICKLE"
        },
    },
    Rule {
        name: "pickle-order",
        reason: "One-time keys are put in the order of their ids, and skipped keys whose chain is gone are dropped.",
        explains: |seen, found| {
            let odd = seen.has_oddity(&[Oddity::Ids, Oddity::Skipped]);
            odd && !seen.ours.failed() && matches!(found, Difference::State(_))
        },
    },
    Rule {
        name: "most-one-time-keys",
        reason: "Of more than 100 one-time keys in a pickle the 100 newest are kept. libolm keeps the first 99 of the \
                 list and the last.",
        explains: |seen, found| {
            seen.function.name == "olm_unpickle_account"
                && seen.has_oddity(&[Oddity::TooMany])
                && !seen.ours.failed()
                && matches!(found, Difference::State(_))
        },
    },
    Rule {
        name: "pickle-clamping",
        reason: "An Ed25519 private key that is not clamped is, from when it is read.",
        explains: |seen, found| {
            let odd = seen.has_oddity(&[Oddity::Clamping]) && !seen.ours.failed();
            odd && matches!(found, Difference::State(_))
        },
    },
    Rule {
        name: "corrupted-pickle-is-reported",
        reason: "CORRUPTED_PICKLE becomes the last error. In libolm an older one can stay.",
        explains: |seen, found| {
            let reported = seen.ours.error() == "CORRUPTED_PICKLE" && seen.ours_refuses();
            reported
                && seen.real.failed()
                && found == Difference::Error(0)
                && seen.padded_pickle().is_some()
                && !seen.has_oddity(&[Oddity::Version])
        },
    },
    Rule {
        name: "last-index",
        reason: "S-11: the last message index is not used, since the next would be 0 again.",
        explains: |seen, _| {
            const LAST: &[u8] = b"\x03\x08\xff\xff\xff\xff\x0f";
            let is_last = || {
                let beginning = seen.real.buffers[2].get(..12).and_then(base64::decode);
                beginning.is_some_and(|bytes| bytes.starts_with(LAST))
            };
            seen.function.name == "olm_group_encrypt" && seen.ours_refuses() && is_last()
        },
    },
    Rule {
        name: "last-index-of-olm",
        reason: "S-11: the same for a chain of an Olm session.",
        explains: |seen, _| {
            let is_last = || {
                let content = pickle::open(&seen.states.first()?.ours, STATE_KEY)?;
                sender_index(&content)
            };
            seen.function.name == "olm_encrypt"
                && seen.ours_refuses()
                && is_last() == Some(u32::MAX)
        },
    },
    Rule {
        name: "skipped-keys-of-gone-chains",
        reason: "Skipped keys are forgotten together with their chain, since nothing can use them. libolm keeps them, \
                 and drops usable ones instead.",
        explains: |seen, found| {
            let Difference::State(place) = found else { return false };
            seen.function.name == "olm_decrypt" && seen.states[place].differs_only_in_dead_keys()
        },
    },
    Rule {
        name: "one-time-key-is-identity-key",
        reason: "S-17: a one-time key must be another key than the identity key.",
        explains: |seen, _| {
            let key = |place: usize| base64::decode(seen.args[place].bytes());
            seen.function.name == "olm_create_outbound_session"
                && key(2) == key(3)
                && seen.ours_refuses()
        },
    },
    Rule {
        name: "own-sas-key",
        reason: "The object's own key, which somebody sent back, is not the other device's.",
        explains: |seen, _| {
            let is_own = || {
                let given = base64::decode(seen.args[1].bytes())?;
                let own = base64::decode(seen.own_sas_key?)?;
                Some(given.first_chunk::<32>()? == own.first_chunk::<32>()?)
            };
            seen.function.name == "olm_sas_set_their_key"
                && is_own() == Some(true)
                && seen.ours_refuses()
        },
    },
    Rule {
        name: "hkdf-limit",
        reason: "HKDF gives 255 blocks at most. libolm begins its counter again.",
        explains: |seen, _| {
            seen.function.name == "olm_sas_generate_bytes"
                && seen.args[2].bytes().len() > 255 * 32
                && seen.ours_refuses()
        },
    },
    Rule {
        name: "far-indices",
        reason: "A Megolm index is reached however far it lies ahead. libolm stops at 2^31.",
        explains: |seen, _| {
            let is_far = |(index, earliest): (u32, u32)| {
                index.checked_sub(earliest).is_some_and(|ahead| ahead >= 1 << 31)
            };
            seen.real.error() == "UNKNOWN_MESSAGE_INDEX" && seen.indices().is_some_and(is_far)
        },
    },
    Rule {
        name: "no-wrapped-indices",
        reason: "S-11: an index below the earliest one known is unknown. libolm goes on from 2^32 - 1 to 0.",
        explains: |seen, _| {
            let is_before = |(index, earliest)| index < earliest;
            seen.ours.error() == "UNKNOWN_MESSAGE_INDEX"
                && seen.ours_refuses()
                && seen.indices().is_some_and(is_before)
        },
    },
    Rule {
        name: "blank-objects",
        reason: "An object without keys cannot work with them: libolm takes keys of zeros.",
        explains: |seen, _| seen.is_blank && seen.ours_refuses(),
    },
    Rule {
        name: "padding-not-written",
        reason: "Behind the plaintext the buffer stays as it was. libolm leaves the padding there.",
        explains: |seen, found| {
            let Difference::Buffer(place) = found else { return false };
            let decrypts = seen.function.name.ends_with("_decrypt");
            let length = usize::try_from(seen.ours.number()).unwrap_or(usize::MAX);
            let (real, ours) = (&seen.real.buffers[place], &seen.ours.buffers[place]);
            decrypts
                && seen.real.value == seen.ours.value
                && !seen.ours.failed()
                && real.get(..length) == ours.get(..length)
                && ours.get(length..) == seen.args[place].bytes().get(length..)
        },
    },
    Rule {
        name: "pk-ciphertext-room",
        reason: "Behind the ciphertext the buffer stays as it was. libolm works in its last bytes.",
        explains: |seen, found| {
            let Arg::Bytes(room) = &seen.args.get(2).unwrap_or(&Arg::Null) else { return false };
            let length = base64::encoded_length(seen.args[1].bytes().len() / 16 * 16 + 16);
            let same = || seen.real.buffers[2].get(..length) == seen.ours.buffers[2].get(..length);
            seen.function.name == "olm_pk_encrypt"
                && found == Difference::Buffer(2)
                && !seen.ours.failed()
                && same()
                && seen.ours.buffers[2].get(length..) == room.get(length..)
        },
    },
    Rule {
        name: "new-state-replaces-old",
        reason: "An object that is made anew, or read from a pickle, holds nothing of what it was before. libolm \
                 adds to its lists.",
        explains: |seen, found| {
            let Difference::State(place) = found else { return false };
            seen.was_used && seen.states[place].on_blank.as_ref() == Some(&seen.states[place].ours)
        },
    },
    Rule {
        name: "export-is-a-query",
        reason: "Exporting a session's key leaves the session as it is. libolm moves its latest ratchet.",
        explains: |seen, found| {
            let Difference::State(place) = found else { return false };
            seen.function.name == "olm_export_inbound_group_session"
                && seen.states[place].differs_only_in_latest_ratchet()
        },
    },
    Rule {
        name: "failed-calls-change-nothing",
        reason: "S-04: a call that fails leaves the object as it was. libolm has overwritten a part of it.",
        explains: |seen, found| {
            matches!(found, Difference::State(_)) && seen.real.failed() && seen.ours_refuses()
        },
    },
    Rule {
        name: "failed-calls-write-nothing",
        reason: "The output buffer of a call that fails stays as it was. libolm has used it to decrypt or encode.",
        explains: |seen, found| {
            let is_output = matches!(found, Difference::Buffer(place)
                if seen.function.parameters[place] == Parameter::Out);
            is_output && seen.real.failed() && seen.ours_refuses()
        },
    },
];

/// The rule that explains a difference. Writing outside of buffers, and changing an object by a
/// call that fails, has no explanation.
pub fn rule(seen: &Seen<'_>, found: &Difference) -> Option<&'static str> {
    if matches!(found, Difference::Guards | Difference::Atomicity(_)) {
        return None;
    }
    RULES.iter().find(|rule| (rule.explains)(seen, *found)).map(|rule| rule.name)
}

/// The table for a human.
pub fn print() {
    for rule in RULES {
        println!("{}: {}", rule.name, rule.reason);
    }
}
