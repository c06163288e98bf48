//! What the tests share, in which objects of this crate and of vodozemac meet.
//!
//! Both crates draw their keys from the operating system, so that a seed only repeats what is done,
//! not with which keys. A failing test prints its seed.

mod conversation;
mod stored;

pub use conversation::{Conversation, Message, OlmConfig, pair};
use rand::{RngExt, SeedableRng, rngs::StdRng};
pub use stored::{Form, Stored};

/// An object of one of the two crates.
pub enum Either<O, R> {
    Ours(O),
    Real(R),
}

/// The same expression for either crate's object.
#[macro_export]
macro_rules! either {
    ($value:expr, $name:ident => $result:expr) => {
        match $value {
            $crate::Either::Ours($name) => $result,
            $crate::Either::Real($name) => $result,
        }
    };
}

/// The same expression for the name of either crate.
#[macro_export]
macro_rules! new {
    ($is_ours:expr, $library:ident => $result:expr) => {
        if $is_ours {
            use ours as $library;
            $crate::Either::Ours($result)
        } else {
            use real as $library;
            $crate::Either::Real($result)
        }
    };
}

pub type Account = Either<ours::olm::Account, real::olm::Account>;
pub type Session = Either<ours::olm::Session, real::olm::Session>;
pub type GroupSession = Either<ours::megolm::GroupSession, real::megolm::GroupSession>;
pub type InboundGroupSession =
    Either<ours::megolm::InboundGroupSession, real::megolm::InboundGroupSession>;

impl<O: Stored, R: Stored> Either<O, R> {
    /// The object as the other crate has it, by way of a store.
    #[must_use]
    pub fn cross(&self, form: Form) -> Self {
        match self {
            Self::Ours(object) => Self::Real(R::load(form, &object.store(form))),
            Self::Real(object) => Self::Ours(O::load(form, &object.store(form))),
        }
    }

    pub fn store(&self, form: Form) -> Vec<u8> {
        either!(self, object => object.store(form))
    }
}

/// Runs a test as often as the environment variable `CROSS_TRIALS` says (default: 300), each time
/// with other choices.
pub fn trials(mut test: impl FnMut(&mut StdRng)) {
    let trials = std::env::var("CROSS_TRIALS").map_or(300, |count| count.parse().unwrap());
    for seed in 0..trials {
        let guard = PrintSeed(seed);
        test(&mut StdRng::seed_from_u64(seed));
        std::mem::forget(guard);
    }
}

/// Prints the seed when a test panics.
struct PrintSeed(u64);

impl Drop for PrintSeed {
    fn drop(&mut self) {
        eprintln!("with seed {}", self.0);
    }
}

/// A plaintext of 0 to 100 bytes.
pub fn plaintext(rng: &mut StdRng) -> Vec<u8> {
    let length = rng.random_range(0..=100);
    (0..length).map(|_| rng.random()).collect()
}

/// An account after some life.
pub fn account(rng: &mut StdRng, ours: bool) -> Account {
    let mut account = new!(ours, library => library::olm::Account::new());
    for _ in 0..rng.random_range(0..6) {
        either!(&mut account, account => match rng.random_range(0..4) {
            0 => {
                account.generate_one_time_keys(rng.random_range(0..5));
            }
            1 => {
                account.generate_fallback_key();
            }
            2 => account.mark_keys_as_published(),
            _ => {
                account.forget_fallback_key();
            }
        });
    }
    account
}

/// A group session after some messages.
pub fn group_session(rng: &mut StdRng, ours: bool) -> GroupSession {
    let version_2 = rng.random();
    let mut session = new!(ours, library => {
        use library::megolm::{GroupSession, SessionConfig};
        GroupSession::new(if version_2 { SessionConfig::version_2() } else { SessionConfig::version_1() })
    });
    for _ in 0..rng.random_range(0..5) {
        let plaintext = plaintext(rng);
        either!(&mut session, session => {
            session.encrypt(plaintext);
        });
    }
    session
}

/// A receiver of the session: from its signed or from an exported key, later in the session or not.
pub fn inbound(rng: &mut StdRng, sender: &GroupSession, ours: bool) -> InboundGroupSession {
    let key = either!(sender, sender => sender.session_key().to_base64());
    let version_2 = either!(sender, sender => sender.session_config().version()) == 2;
    let first = either!(sender, sender => sender.message_index());
    let later = first + rng.random_range(0..600);
    let how = rng.random_range(0..3);
    new!(ours, library => {
        use library::megolm::{InboundGroupSession, SessionConfig, SessionKey};
        let config = if version_2 { SessionConfig::version_2() } else { SessionConfig::version_1() };
        let mut session = InboundGroupSession::new(&SessionKey::from_base64(&key).unwrap(), config);
        match how {
            0 => session,
            1 => {
                session.advance_to(later);
                session
            }
            _ => InboundGroupSession::import(&session.export_at(later).unwrap(), config),
        }
    })
}
