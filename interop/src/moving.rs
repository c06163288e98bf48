//! Ends that move: a device and the two ends of a group session move from our library to another
//! one and back, through pickles of the other library, during a conversation.

use moceril::{
    Loss, MessageVersion,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
    vodozemac as shapes,
};
use olm_rs::{
    PicklingMode, account::OlmAccount, inbound_group_session::OlmInboundGroupSession,
    outbound_group_session::OlmOutboundGroupSession, session::OlmSession,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Library, SeededRng,
    libolm::LibolmDevice,
    ours::OurDevice,
    peer::{OlmPeer, PublishedKey, Refusal, Wire},
    vodozemac::VodozemacDevice,
};

pub const LIBOLM_KEY: &[u8] = b"a key of any length";
const VODOZEMAC_KEY: &[u8; 32] = &[0x42; 32];

pub fn libolm_mode() -> PicklingMode {
    PicklingMode::Encrypted { key: LIBOLM_KEY.to_vec() }
}

/// How a vodozemac pickle travels.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    Encrypted,
    Json,
    MessagePack,
}

impl Form {
    pub fn any(rng: &mut SeededRng) -> Self {
        [Self::Encrypted, Self::Json, Self::MessagePack][rng.below(3)]
    }

    fn carry<From: Serialize, To: DeserializeOwned>(
        self,
        pickle: From,
        encrypt: impl FnOnce(From) -> String,
        decrypt: impl FnOnce(&str) -> To,
    ) -> To {
        match self {
            Self::Encrypted => decrypt(&encrypt(pickle)),
            Self::Json => serde_json::from_str(&serde_json::to_string(&pickle).unwrap()).unwrap(),
            Self::MessagePack => {
                rmp_serde::from_slice(&rmp_serde::to_vec_named(&pickle).unwrap()).unwrap()
            }
        }
    }
}

/// Both directions between our object and the other library's.
pub trait Moves: Sized {
    type Libolm;
    type Vodozemac;

    fn to_libolm(&self) -> (Self::Libolm, Loss);
    fn from_libolm(theirs: &Self::Libolm) -> Self;
    fn to_vodozemac(&self, form: Form) -> (Self::Vodozemac, Loss);
    fn from_vodozemac(theirs: &Self::Vodozemac, form: Form) -> Self;
}

macro_rules! moves {
    ($($ours:ident: $libolm:ident, $vodozemac:path, $pickle:ident, $their_pickle:path;)+) => {$(
        impl Moves for $ours {
            type Libolm = $libolm;
            type Vodozemac = $vodozemac;

            fn to_libolm(&self) -> ($libolm, Loss) {
                let (pickle, loss) = self.to_libolm_pickle_lossy(LIBOLM_KEY).unwrap();
                ($libolm::unpickle(pickle, libolm_mode()).unwrap(), loss)
            }

            fn from_libolm(theirs: &$libolm) -> Self {
                Self::from_libolm_pickle(&theirs.pickle(libolm_mode()), LIBOLM_KEY).unwrap()
            }

            fn to_vodozemac(&self, form: Form) -> ($vodozemac, Loss) {
                let (pickle, loss) = self.to_vodozemac_pickle_lossy().unwrap();
                let pickle: $their_pickle = form.carry(
                    pickle,
                    |pickle| pickle.encrypt(VODOZEMAC_KEY).unwrap(),
                    |text| <$their_pickle>::from_encrypted(text, VODOZEMAC_KEY).unwrap(),
                );
                (pickle.into(), loss)
            }

            fn from_vodozemac(theirs: &$vodozemac, form: Form) -> Self {
                let pickle = form.carry(
                    theirs.pickle(),
                    |pickle| pickle.encrypt(VODOZEMAC_KEY),
                    |text| shapes::$pickle::from_encrypted(text, VODOZEMAC_KEY).unwrap(),
                );
                Self::from_vodozemac_pickle(pickle).unwrap()
            }
        }
    )+};
}

moves! {
    Account: OlmAccount, vodozemac::olm::Account, AccountPickle, vodozemac::olm::AccountPickle;
    Session: OlmSession, vodozemac::olm::Session, SessionPickle, vodozemac::olm::SessionPickle;
    GroupSession: OlmOutboundGroupSession, vodozemac::megolm::GroupSession, GroupSessionPickle,
        vodozemac::megolm::GroupSessionPickle;
    InboundGroupSession: OlmInboundGroupSession, vodozemac::megolm::InboundGroupSession,
        InboundGroupSessionPickle, vodozemac::megolm::InboundGroupSessionPickle;
}

/// A device of our library that is sometimes one of the other.
pub struct MovingDevice {
    home: Home,
    other: Library,
    version: MessageVersion,
    rng: SeededRng,
    /// What moving dropped so far: only what the other library itself would not have kept.
    pub lost: Loss,
}

enum Home {
    Ours(Box<OurDevice>),
    Libolm(Box<LibolmDevice>),
    Vodozemac(Box<VodozemacDevice>),
}

impl MovingDevice {
    pub fn new(version: MessageVersion, other: Library, rng: &mut SeededRng) -> Self {
        let home = Home::Ours(Box::new(OurDevice::new(version)));
        let rng = SeededRng::new(u64::from_be_bytes(rng.bytes()));
        Self { home, other, version, rng, lost: Loss::default() }
    }

    /// To the other library, or back from it.
    pub fn move_on(&mut self) {
        let (form, version) = (Form::any(&mut self.rng), self.version);
        self.home = match &self.home {
            Home::Ours(device) if self.other == Library::Libolm => {
                let (account, session) = device.parts();
                let account = self.lost.note(account.to_libolm());
                let session = session.map(|session| self.lost.note(session.to_libolm()));
                Home::Libolm(Box::new(LibolmDevice::from_parts(account, session)))
            }
            Home::Ours(device) => {
                let (account, session) = device.parts();
                let account = self.lost.note(account.to_vodozemac(form));
                let session = session.map(|session| self.lost.note(session.to_vodozemac(form)));
                Home::Vodozemac(Box::new(VodozemacDevice::from_parts(version, account, session)))
            }
            Home::Libolm(device) => {
                let (account, session) = device.parts();
                let account = Account::from_libolm(account);
                let session = session.map(Session::from_libolm);
                Home::Ours(Box::new(OurDevice::from_parts(version, account, session)))
            }
            Home::Vodozemac(device) => {
                let (account, session) = device.parts();
                let account = Account::from_vodozemac(account, form);
                let session = session.map(|session| Session::from_vodozemac(session, form));
                Home::Ours(Box::new(OurDevice::from_parts(version, account, session)))
            }
        };
    }

    fn peer(&self) -> &dyn OlmPeer {
        match &self.home {
            Home::Ours(device) => &**device,
            Home::Libolm(device) => &**device,
            Home::Vodozemac(device) => &**device,
        }
    }

    fn peer_mut(&mut self) -> &mut dyn OlmPeer {
        match &mut self.home {
            Home::Ours(device) => &mut **device,
            Home::Libolm(device) => &mut **device,
            Home::Vodozemac(device) => &mut **device,
        }
    }
}

trait NoteLoss {
    fn note<T>(&mut self, moved: (T, Loss)) -> T;
}

impl NoteLoss for Loss {
    fn note<T>(&mut self, (object, loss): (T, Loss)) -> T {
        self.one_time_keys += loss.one_time_keys;
        self.skipped_keys += loss.skipped_keys;
        self.receiver_chains += loss.receiver_chains;
        self.fallback_sessions += loss.fallback_sessions;
        object
    }
}

impl OlmPeer for MovingDevice {
    fn identity_key(&self) -> String {
        self.peer().identity_key()
    }

    fn publish(&mut self, fallback: bool) -> PublishedKey {
        self.peer_mut().publish(fallback)
    }

    fn start(&mut self, key: &PublishedKey) {
        self.peer_mut().start(key);
    }

    fn accept(&mut self, their_identity_key: &str, message: &Wire) -> Result<String, Refusal> {
        self.peer_mut().accept(their_identity_key, message)
    }

    fn matches(&self, message: &Wire) -> bool {
        self.peer().matches(message)
    }

    fn session_id(&self) -> String {
        self.peer().session_id()
    }

    fn encrypt(&mut self, plaintext: &str) -> Wire {
        self.peer_mut().encrypt(plaintext)
    }

    fn decrypt(&mut self, message: &Wire) -> Result<String, Refusal> {
        self.peer_mut().decrypt(message)
    }

    fn fresh(&self) -> Box<dyn OlmPeer> {
        self.peer().fresh()
    }
}
