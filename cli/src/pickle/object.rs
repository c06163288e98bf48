//! The four objects that have pickles, in the formats that pickles have.

use clap::ValueEnum;
use moceril::{
    ConversionError, Loss, PassphraseCost, PassphraseKey, PickleError, PickleKey,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
    vodozemac::{
        AccountPickle, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle,
        VodozemacPickleError,
    },
};
use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Result},
    input,
    report::{self, Report},
    secrets::{Secret, without_line_end},
};

/// Who writes such pickles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// libolm and its bindings: a key of any length
    Libolm,
    /// vodozemac and matrix-rust-sdk: a key of 32 bytes
    Vodozemac,
    /// moceril: a key of 32 bytes and a context
    Native,
    /// moceril, with a passphrase instead of a key
    Passphrase,
}

/// Which object a pickle holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The keys of a device
    Account,
    /// A conversation between two devices
    Session,
    /// The sending end of a room's encryption
    GroupSession,
    /// The receiving end of a room's encryption
    InboundGroupSession,
}

impl Kind {
    pub const ALL: [Self; 4] =
        [Self::Account, Self::Session, Self::GroupSession, Self::InboundGroupSession];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Session => "Olm session",
            Self::GroupSession => "outbound group session",
            Self::InboundGroupSession => "inbound group session",
        }
    }

    /// The name of many.
    #[cfg(feature = "stores")]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Account => "accounts",
            Self::Session => "Olm sessions",
            Self::GroupSession => "outbound group sessions",
            Self::InboundGroupSession => "inbound group sessions",
        }
    }
}

/// The key that opens a pickle of a format.
pub enum Key {
    Libolm(Zeroizing<Vec<u8>>),
    Vodozemac(Zeroizing<[u8; 32]>),
    Native(PickleKey, String),
    /// Deriving a key from a passphrase is slow, so it is derived for the first pickle.
    Passphrase(Zeroizing<String>, String),
}

impl Key {
    /// Reads the key of a format.
    pub fn read(
        format: Format,
        source: Option<&Secret>,
        context: &str,
        what: &str,
    ) -> Result<Self> {
        Self::of(format, &Secret::whole(source, what)?, context, what)
    }

    /// The key of a format, from a whole secret.
    fn of(format: Format, secret: &[u8], context: &str, what: &str) -> Result<Self> {
        let context = context.to_owned();
        let line = || Zeroizing::new(without_line_end(secret).to_vec());
        Ok(match format {
            Format::Libolm => Self::Libolm(line()),
            Format::Vodozemac => Self::Vodozemac(Secret::key_of(secret, what)?),
            Format::Native => {
                Self::Native(PickleKey::from_bytes(*Secret::key_of(secret, what)?), context)
            }
            Format::Passphrase => {
                let text = input::text(line()).map_err(|failure| failure.at(what))?;
                Self::Passphrase(text, context)
            }
        })
    }
}

/// The key of a pickle of unknown format, as the key of each format. It is read once.
pub struct AnyKey {
    keys: Vec<(Format, std::result::Result<Key, String>)>,
}

impl AnyKey {
    /// Those formats that say more about themselves come first.
    const FORMATS: [Format; 4] =
        [Format::Native, Format::Passphrase, Format::Vodozemac, Format::Libolm];

    pub fn read(source: Option<&Secret>, context: &str) -> Result<Self> {
        let secret = Secret::whole(source, "pickle key")?;
        let key = |format| {
            let key = Key::of(format, &secret, context, "its key");
            (format, key.map_err(|failure| failure.what().to_owned()))
        };
        Ok(Self { keys: Self::FORMATS.map(key).into() })
    }

    /// The object and its format, or why each format refuses it.
    pub fn open(&self, pickle: &str) -> std::result::Result<(Object, Format), Vec<Refused>> {
        let mut refusals = Vec::new();
        for (format, key) in &self.keys {
            let opened = match key {
                Ok(key) => Object::open_any(None, pickle, key),
                Err(why) => Err(Failure::key(why)),
            };
            match opened {
                Ok(object) => return Ok((object, *format)),
                Err(failure) => refusals.push(Refused { format: *format, failure }),
            }
        }
        Err(refusals)
    }
}

/// Why a pickle does not have a format.
pub struct Refused {
    pub format: Format,
    pub failure: Failure,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.format, self.failure.what())
    }
}

pub enum Object {
    Account(Box<Account>),
    Session(Box<Session>),
    GroupSession(Box<GroupSession>),
    InboundGroupSession(Box<InboundGroupSession>),
}

/// The error of the library, in the words of this command.
fn refused(error: impl Into<moceril::Error>) -> Failure {
    let error = error.into();
    let text = std::error::Error::source(&error).map_or(error.to_string(), ToString::to_string);
    let wrong_key = [
        moceril::Error::Pickle(PickleError::Authentication),
        moceril::Error::LibolmPickle(moceril::LibolmPickleError::Authentication),
        moceril::Error::VodozemacPickle(VodozemacPickleError::Authentication),
        moceril::Error::Passphrase(moceril::PassphraseError::WrongPassphrase),
    ];
    if wrong_key.contains(&error) { Failure::key(text) } else { Failure::input(text) }
}

/// Opens a pickle, by the functions of the object's type.
macro_rules! open {
    ($object:ident, $plain:ident, $text:expr, $key:expr) => {{
        let object = match $key {
            Key::Libolm(key) => {
                $object::from_libolm_pickle($text, &**key).map_err(moceril::Error::from)
            }
            // matrix-rust-sdk's stores encrypt vodozemac's form in their own way.
            Key::Vodozemac(_) if $text.starts_with('{') => serde_json::from_str::<$plain>($text)
                .map_err(|_| VodozemacPickleError::InvalidState)
                .and_then($object::from_vodozemac_pickle)
                .map_err(moceril::Error::from),
            Key::Vodozemac(key) => $plain::from_encrypted($text, key)
                .and_then($object::from_vodozemac_pickle)
                .map_err(moceril::Error::from),
            Key::Native(key, context) => {
                $object::from_pickle($text, key, context).map_err(moceril::Error::from)
            }
            Key::Passphrase(passphrase, context) => {
                let limit = PassphraseCost::RECOMMENDED_LIMIT;
                PassphraseKey::for_pickle($text, passphrase, limit)
                    .map_err(moceril::Error::from)
                    .and_then(|key| Ok($object::from_passphrase_pickle($text, &key, context)?))
            }
        };
        object.map(|object| Object::$object(Box::new(object)))
    }};
}

/// Takes the forms of vodozemac that are stored in other ways than as its pickles.
#[cfg(feature = "stores")]
macro_rules! from_form {
    ($($function:ident, $object:ident, $pickle:ident => $result:ty, $wrap:expr;)+) => {$(
        pub fn $function(form: $pickle) -> Result<$result> {
            $object::from_vodozemac_pickle(form).map($wrap).map_err(refused)
        }
    )+};
}

#[cfg(feature = "stores")]
from_form! {
    account, Account, AccountPickle => Object, |object| Object::Account(Box::new(object));
    session, Session, SessionPickle => Object, |object| Object::Session(Box::new(object));
    group_session, GroupSession, GroupSessionPickle => Object,
        |object| Object::GroupSession(Box::new(object));
    inbound_group_session, InboundGroupSession, InboundGroupSessionPickle => InboundGroupSession,
        std::convert::identity;
}

/// Writes a pickle, by the functions of the object.
macro_rules! seal {
    ($object:expr, $key:expr) => {
        match $key {
            Key::Libolm(key) => {
                $object.to_libolm_pickle_lossy(&**key).map_err(|error| unrepresentable(&error))
            }
            Key::Vodozemac(key) => $object
                .to_vodozemac_pickle_lossy()
                .map_err(|error| unrepresentable(&error))
                .and_then(|(form, loss)| Ok((form.encrypt(key).map_err(refused)?, loss))),
            Key::Native(key, context) => {
                let pickle = $object.pickle(key, context).map_err(refused)?;
                Ok((pickle, Loss::default()))
            }
            Key::Passphrase(passphrase, context) => {
                let key = PassphraseKey::new(passphrase, PassphraseCost::default());
                let key = key.map_err(refused)?;
                let pickle = $object.pickle_with_passphrase(&key, context).map_err(refused)?;
                Ok((pickle, Loss::default()))
            }
        }
    };
}

fn unrepresentable(error: &ConversionError) -> Failure {
    Failure::finding(error).hint("use --to native, which holds everything")
}

impl Object {
    /// Opens a pickle of this kind.
    pub fn open(kind: Kind, pickle: &str, key: &Key) -> Result<Self> {
        Self::open_typed(kind, pickle, key).map_err(refused)
    }

    /// The same with the error of the library.
    pub fn open_typed(
        kind: Kind,
        pickle: &str,
        key: &Key,
    ) -> std::result::Result<Self, moceril::Error> {
        match kind {
            Kind::Account => open!(Account, AccountPickle, pickle, key),
            Kind::Session => open!(Session, SessionPickle, pickle, key),
            Kind::GroupSession => open!(GroupSession, GroupSessionPickle, pickle, key),
            Kind::InboundGroupSession => {
                open!(InboundGroupSession, InboundGroupSessionPickle, pickle, key)
            }
        }
    }

    /// Opens a pickle of any kind, or of the kind that the user names. The other libraries' formats
    /// do not state the kind: the content has to fit.
    pub fn open_any(kind: Option<Kind>, pickle: &str, key: &Key) -> Result<Self> {
        let mut first = None;
        for kind in kind.map_or(Kind::ALL.to_vec(), |kind| vec![kind]) {
            match Self::open(kind, pickle, key) {
                Ok(object) => return Ok(object),
                // A wrong key is wrong for every kind. Only the native format binds the kind.
                Err(failure) if failure.code == crate::failure::Code::Key => return Err(failure),
                Err(failure) => {
                    first.get_or_insert(failure);
                }
            }
        }
        let failure = first.unwrap_or_else(|| Failure::input("the pickle has no kind"));
        Err(if kind.is_some() {
            failure
        } else {
            failure.hint("give --kind, if you know what the pickle holds")
        })
    }

    /// The pickle in another format, and what it does not hold.
    pub fn seal(&self, key: &Key) -> Result<(String, Loss)> {
        match self {
            Self::Account(object) => seal!(object, key),
            Self::Session(object) => seal!(object, key),
            Self::GroupSession(object) => seal!(object, key),
            Self::InboundGroupSession(object) => seal!(object, key),
        }
    }

    /// The id, if it is a session.
    pub fn session_id(&self) -> Option<String> {
        match self {
            Self::Account(_) => None,
            Self::Session(session) => Some(session.session_id()),
            Self::GroupSession(session) => Some(session.session_id()),
            Self::InboundGroupSession(session) => Some(session.session_id()),
        }
    }

    pub const fn kind(&self) -> Kind {
        match self {
            Self::Account(_) => Kind::Account,
            Self::Session(_) => Kind::Session,
            Self::GroupSession(_) => Kind::GroupSession,
            Self::InboundGroupSession(_) => Kind::InboundGroupSession,
        }
    }

    /// What it holds, without secrets.
    pub fn report(&self) -> Report {
        let report = Report::new(self.kind().name());
        match self {
            Self::Account(account) => report
                .with("Ed25519 key", account.ed25519_key().to_base64())
                .with("Curve25519 key", account.curve25519_key().to_base64())
                .with("one-time keys", account.stored_one_time_key_count())
                .with("unpublished", account.unpublished_one_time_keys().len())
                .with("fallback key", account.fallback_key().is_some())
                .with("generation", account.generation()),
            Self::Session(session) => report
                .with("session id", session.session_id())
                .with("version", version(session.version()))
                .with_some("peer's key", session.their_identity_key().map(|key| key.to_base64()))
                .with("has received", session.has_received_message())
                .with("state", report::printable(&session.describe()))
                .with("generation", session.generation()),
            Self::GroupSession(session) => report
                .with("session id", session.session_id())
                .with("version", version(session.version()))
                .with("next index", session.message_index())
                .with_some("created at", session.created_at().map(|time| time.as_secs()))
                .with("generation", session.generation()),
            Self::InboundGroupSession(session) => report
                .with("session id", session.session_id())
                .with("version", version(session.version()))
                .with("first index", session.first_known_index())
                .with("provenance", provenance(session.provenance()))
                .with("signature seen", session.is_signing_key_verified())
                .with("closed", session.is_closed())
                .with("generation", session.generation()),
        }
    }
}

/// The number of a version of messages.
pub fn version(version: moceril::MessageVersion) -> u8 {
    match version {
        moceril::MessageVersion::V3 => 3,
        _ => 4,
    }
}

/// The name of a provenance.
pub fn provenance(provenance: moceril::megolm::Provenance) -> String {
    format!("{provenance:?}").to_lowercase()
}
