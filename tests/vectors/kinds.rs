//! The areas that have one kind of file, which has the area's name.

use moceril::{
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

use moceril_testing::{
    sources::sources_of,
    vector_file::{VectorFile, areas, assert_at_least, check_each, files},
};

use crate::{decoding, megolm, native, olm, pickles};

/// Runs the files of an area, which has the name of its only kind.
fn run(kind: &str, check: fn(&VectorFile), positive: usize, negative: usize) {
    let files = files(kind);
    check_each(&files, |file| {
        assert_eq!(file.kind, kind, "no such kind in this area");
        check(file);
    });
    assert_at_least(&files, kind, positive, negative);
}

/// One test for each kind, with how many positive and negative files there are at least.
macro_rules! kinds {
    ($($(#[$doc:meta])* $test:ident: $kind:literal, $check:path, $positive:literal, $negative:literal;)+) => {
        const KINDS: &[&str] = &[$($kind),+];

        $($(#[$doc])* #[test]
        fn $test() {
            run($kind, $check, $positive, $negative);
        })+
    };
}

kinds! {
    /// S-01, S-07, S-12, S-13, S-30: normal messages decode to these values, or are refused by the
    /// layer that the file names.
    olm_messages: "olm-message", decoding::olm_message, 32, 109;

    /// S-01, S-07, S-12, S-13, S-30: so do pre-key messages.
    pre_key_messages: "pre-key-message", decoding::pre_key_message, 20, 170;

    /// S-07, S-12, S-13, S-30: so do Megolm messages.
    megolm_messages: "megolm-message", decoding::megolm_message, 40, 87;

    /// S-07, S-14, S-21, S-30: so do signed session keys.
    session_keys: "session-key", decoding::session_key, 4, 57;

    /// S-07, S-14, S-21, S-30: so do exported session keys.
    exported_session_keys: "exported-session-key", decoding::exported_session_key, 4, 47;

    /// S-11: the Megolm ratchet reaches this value at this index, and never wraps.
    megolm_ratchet: "megolm-ratchet", megolm::ratchet, 37, 0;

    /// S-04, S-06, S-14, S-28: a Megolm message decrypts, or is refused for its one fault and
    /// changes nothing.
    megolm_decrypt: "megolm-decrypt", megolm::decrypt, 69, 30;

    /// S-04, S-13, S-28: a Megolm session replays a recorded one byte for byte.
    megolm_transcripts: "megolm-transcript", megolm::transcript, 16, 0;

    /// S-04, S-05, S-09, S-13, S-28: an Olm session replays a recorded one byte for byte.
    olm_transcripts: "olm-transcript", olm::transcript, 32, 0;

    /// S-24: a session that libolm pickled goes on as it would have in libolm.
    libolm_session_pickles: "libolm-session-pickle", pickles::session, 8, 23;

    /// S-24: every key of an account that libolm pickled makes sessions; a legacy account is
    /// refused.
    libolm_account_pickles: "libolm-account-pickle", pickles::account, 8, 21;

    /// S-24: a sender that libolm pickled goes on.
    libolm_group_sessions: "libolm-group-session-pickle", pickles::group_session, 1, 15;

    /// S-24: so does a receiver.
    libolm_inbound_group_sessions:
        "libolm-inbound-group-session-pickle", pickles::inbound_group_session, 3, 16;

    /// S-13, S-23: our own pickles are read and written as they were described, and refused by the
    /// layer that the file names.
    account_pickles: "moceril-account-pickle", native::check::<Account>, 3, 27;

    /// S-13, S-22, S-23: so are those of sessions.
    session_pickles: "moceril-session-pickle", native::check::<Session>, 5, 33;

    /// S-11, S-13, S-23: so are those of group sessions.
    group_session_pickles: "moceril-group-session-pickle", native::check::<GroupSession>, 5, 22;

    /// S-13, S-21, S-23: so are those of inbound group sessions.
    inbound_group_session_pickles:
        "moceril-inbound-group-session-pickle", native::check::<InboundGroupSession>, 6, 24;

    /// S-19, S-42, S-46: so are those of replay guards.
    replay_guard_pickles: "moceril-replay-guard-pickle", native::check_guard, 4, 28;
}

#[test]
fn every_area_is_run() {
    let folders = ["tests", "src/primitives"].into_iter();
    let sources: String = folders.flat_map(sources_of).map(|source| source.code).collect();
    for area in areas() {
        let calls = |name: &str| sources.contains(&format!("{name}(\"{area}\""));
        let elsewhere = calls("files") || calls("check_channels");
        assert!(KINDS.contains(&area.as_str()) || elsewhere, "nothing runs {area}");
    }
}
