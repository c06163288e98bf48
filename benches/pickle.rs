//! Native pickles: each operation and its lower bound, and the lengths of the pickles.

use std::time::Duration;

use benches::{
    beside::{self, beside_lower_bound},
    lower_bound::{
        TEXT,
        pickle::{Pickle, restore_nothing, restore_signing_key},
    },
};
use criterion::{Criterion, criterion_group, criterion_main};
use moceril::{
    PickleKey,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, PreKeyBundle, Session},
};

const CONTEXT: &[u8] = b"@alice:example.org/DEVICEID";

fn key() -> PickleKey {
    PickleKey::from_bytes([7; 32])
}

fn account() -> Account {
    let mut account = Account::new().unwrap();
    account.generate_one_time_keys(100).unwrap();
    account
}

/// A session that has sent and received, each `round_trips` times.
fn session(round_trips: usize) -> Session {
    let (alice, mut bob) = (Account::new().unwrap(), account());
    let (_, one_time_key) = bob.signed_one_time_keys().remove(0);
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let mut ours = alice.create_outbound_session(&bundle).unwrap();
    let message = ours.encrypt(TEXT).unwrap();
    let pre_key = message.as_pre_key().unwrap();
    let mut theirs = bob.create_inbound_session(alice.curve25519_key(), pre_key).unwrap().session;
    for _ in 0..round_trips {
        ours.decrypt(&theirs.encrypt(TEXT).unwrap()).unwrap();
        theirs.decrypt(&ours.encrypt(TEXT).unwrap()).unwrap();
    }
    ours
}

fn inbound() -> InboundGroupSession {
    InboundGroupSession::new(&GroupSession::new(Duration::ZERO).unwrap().session_key())
}

/// Both directions for one type of object. `restore` is what the lower bound computes from a
/// decrypted state.
macro_rules! pickle_and_unpickle {
    ($c:expr, $name:literal, $type:ident, $object:expr, $restore:expr) => {{
        let (key, object) = (key(), $object);
        let pickle = object.pickle(&key, CONTEXT).unwrap();
        println!("{}: a pickle of {} characters", $name, pickle.len());
        let mut lower_bound = Pickle::new(pickle.len());
        beside_lower_bound(
            $c,
            concat!($name, ", pickle"),
            1,
            |b| b.iter(|| object.pickle(&key, CONTEXT).unwrap()),
            |b| b.iter(|| lower_bound.seal()),
        );
        let (mut buffer, restore) = (Vec::new(), $restore);
        beside_lower_bound(
            $c,
            concat!($name, ", unpickle"),
            1,
            |b| b.iter(|| $type::from_pickle(&pickle, &key, CONTEXT).unwrap()),
            |b| {
                b.iter(|| {
                    lower_bound.open(&mut buffer);
                    restore()
                });
            },
        );
    }};
}

fn pickles(c: &mut Criterion) {
    pickle_and_unpickle!(c, "Olm session", Session, session(1), restore_nothing);
    pickle_and_unpickle!(
        c,
        "Olm session with five receiver chains",
        Session,
        session(5),
        restore_nothing
    );
    pickle_and_unpickle!(
        c,
        "account with 100 one-time keys",
        Account,
        account(),
        restore_signing_key()
    );
    pickle_and_unpickle!(
        c,
        "inbound group session",
        InboundGroupSession,
        inbound(),
        restore_nothing
    );
}

criterion_group! { name = benches; config = beside::criterion(); targets = pickles }
criterion_main!(benches);
