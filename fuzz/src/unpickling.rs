//! S-02, S-23, S-24: any state in an authentic pickle is refused, or gives an object that works.

use std::time::Duration;

use moceril::{
    LibolmPickleError, Loss,
    megolm::{
        ExportError, GroupSession, InboundGroupSession, Provenance, ReplayGuard, RotationPolicy,
    },
    olm::{Account, OlmMessage, PreKeyBundle, Session},
};

use moceril_testing::{
    dehydrated_content, libolm_pickle,
    pickle_editor::OpenPickle,
    pickled::{Pickled, guarded},
    rng::{RecordedRng, SeededRng},
    vodozemac_pickle::{self, ViaVodozemac},
};

/// An object that was read from a pickle, and may be in any state that passed the checks.
pub trait Works {
    /// Uses it, and must not panic.
    fn work(&mut self);
}

impl Works for Account {
    fn work(&mut self) {
        let rng = &mut SeededRng::new(1);
        let _ = self.generate_one_time_keys_with_rng(2, rng);
        let _ = self.generate_fallback_key_with_rng(rng);
        let keys = self.signed_one_time_keys();
        if let Some((id, key)) = keys.first()
            && let Ok(bundle) = PreKeyBundle::verify(self.identity_keys(), key)
            && let Ok(mut session) =
                self.create_outbound_session_with_rng(&bundle, Default::default(), rng)
            && let Ok(OlmMessage::PreKey(message)) = session.encrypt_with_rng(b"text", rng)
        {
            let _ = self.create_inbound_session(self.curve25519_key(), &message);
            self.mark_as_published([*id]);
            self.remove_one_time_key(*id);
        }
        self.forget_previous_fallback_key();
    }
}

impl Works for Session {
    fn work(&mut self) {
        let rng = &mut SeededRng::new(2);
        let _ = (self.describe(), self.chain_indices());
        self.name_peers(rng);
        for _ in 0..2 {
            if let Ok(message) = self.encrypt_with_rng(b"text", rng) {
                // To an honest session this is a chain that the peer begins.
                let _ = self.decrypt(&message);
            }
        }
    }
}

/// S-41: the peer that a session knows is the one that was named, and is never replaced.
trait NamePeers {
    fn name_peers(&mut self, rng: &mut SeededRng);
}

impl NamePeers for Session {
    fn name_peers(&mut self, rng: &mut SeededRng) {
        let ours = Account::with_rng(rng).expect("the source gives bytes").identity_keys();
        let initiator = self.session_keys().identity_key;
        for theirs in [ours.curve25519, initiator] {
            let known = self.their_identity_key();
            let named = self.set_identity_keys(ours, theirs);
            let expected = if named.is_ok() { Some(theirs) } else { known };
            assert_eq!(self.their_identity_key(), expected);
            assert!(known.is_none() || known == expected, "a known peer was replaced");
        }
    }
}

impl Works for GroupSession {
    fn work(&mut self) {
        let mut inbound = InboundGroupSession::with_version(&self.session_key(), self.version());
        if let Ok(message) = self.encrypt(b"text") {
            let _ = inbound.decrypt(&message);
        }
        let _ = (
            self.set_created_at(Duration::from_secs(1)),
            self.rotation_due(&RotationPolicy::default(), Duration::ZERO),
        );
    }
}

impl Works for ReplayGuard {
    fn work(&mut self) {
        let (mut sender, mut receiver) = guarded();
        for _ in 0..3 {
            let event = sender.encrypt(b"event").expect("a new session");
            let message = receiver.decrypt(&event).expect("its own message");
            let verdict = self.check(&message, "$event");
            assert_eq!(self.check(&message, "$event").is_err(), verdict.is_err());
        }
        self.raise_capacity(u32::MAX);
    }
}

impl Works for InboundGroupSession {
    fn work(&mut self) {
        let _ = (self.export_at(u32::MAX), self.compare(self));
        let first = self.first_known_index();
        if let Ok(merged) = self.merge(self) {
            for index in [first, first.saturating_add(300), u32::MAX] {
                assert_eq!(merged.provenance_at(index), self.provenance_at(index));
            }
        }
        let _ = self.set_provenance(Provenance::Backup);
        assert!(self.provenance() > Provenance::Unknown);
        match self.export_at_first_known_index() {
            Ok(key) => drop(InboundGroupSession::import(&key)),
            Err(error) => assert_eq!(error, ExportError::Closed),
        }
        self.advance_to(self.first_known_index().saturating_add(300));
        self.close();
    }
}

/// S-23: one state has one encoding, so what is accepted is written again as it was.
pub fn native<T: Pickled + Works>(state: &[u8]) {
    let pickle = OpenPickle { kind: T::TYPE, nonce: [9; 24], state: state.to_vec() }.seal();
    if let Ok(mut object) = T::restore(&pickle) {
        assert!(object.snapshot() == pickle, "a state has two encodings");
        object.work();
    }
}

/// An object in libolm's format.
pub trait ViaLibolm: Sized {
    fn from_libolm(pickle: &str, key: &[u8]) -> Result<Self, LibolmPickleError>;
    /// Whether the content is good, and used to its last byte.
    fn is_libolm_content(content: &[u8]) -> bool;
    fn to_libolm(&self, key: &[u8]) -> Option<String>;
    fn to_libolm_lossy(&self, key: &[u8]) -> Option<(String, Loss)>;
}

macro_rules! via_libolm {
    ($($object:ident),+) => {$(
        impl ViaLibolm for $object {
            fn from_libolm(pickle: &str, key: &[u8]) -> Result<Self, LibolmPickleError> {
                Self::from_libolm_pickle(pickle, key)
            }

            fn is_libolm_content(content: &[u8]) -> bool {
                Self::from_libolm_content(content).is_ok_and(|(_, rest)| rest.is_empty())
            }

            fn to_libolm(&self, key: &[u8]) -> Option<String> {
                self.to_libolm_pickle(key).ok()
            }

            fn to_libolm_lossy(&self, key: &[u8]) -> Option<(String, Loss)> {
                self.to_libolm_pickle_lossy(key).ok()
            }
        }
    )+};
}

via_libolm!(Account, Session, GroupSession, InboundGroupSession);

/// S-24: what we read we can write, and what we write we read as the same again. The exact call
/// succeeds exactly where the lossy one drops nothing.
pub fn libolm<T: ViaLibolm + Works>(content: &[u8]) {
    let key = libolm_pickle::KEY;
    let object = T::from_libolm(&libolm_pickle::seal(content, key), key);
    assert_eq!(object.is_ok(), T::is_libolm_content(content), "with and without encryption");
    let Ok(mut object) = object else { return };
    let (exact, lossy) = (object.to_libolm(key), object.to_libolm_lossy(key));
    let without_loss = lossy.as_ref().filter(|(_, loss)| loss.is_none()).map(|(pickle, _)| pickle);
    assert_eq!(exact.as_ref(), without_loss, "exact and without a loss");
    for written in lossy.into_iter().map(|(pickle, _)| pickle) {
        let again = T::from_libolm(&written, key).expect("we read what we write");
        assert!(again.to_libolm(key) == Some(written), "written twice, it is different");
    }
    object.work();
}

/// S-24, the same for vodozemac's: `json` encrypted and as it is.
pub fn vodozemac<T: ViaVodozemac + Works>(json: &str) {
    let key = &vodozemac_pickle::KEY;
    let encrypted = T::from_encrypted(&libolm_pickle::seal(json.as_bytes(), key), key);
    let plain = T::from_json_text(json);
    assert_eq!(encrypted.is_ok(), plain.is_ok(), "with and without encryption");
    let Ok(mut object) = plain else { return };
    let written = object.to_json();
    assert!(written.is_ok() || !object.is_exact(), "exact, and keys are lost");
    if let Ok(written) = written {
        let again = T::from_json(&written).expect("we read what we write");
        assert!(again.is_exact(), "what was read is not written back");
        assert!(again.to_json().ok() == Some(written), "written twice, it is different");
    }
    object.work();
}

/// A dehydrated device with this content: one content has one encoding.
pub fn dehydrated(content: &[u8]) {
    let device = dehydrated_content::seal(content);
    let key = moceril::PickleKey::from_bytes(dehydrated_content::KEY);
    if let Ok(mut account) = Account::rehydrate(&device, &key) {
        let nonce = &mut RecordedRng::new([9; 12]);
        let again = account.dehydrate_with_rng(&key, nonce).expect("a seed is there");
        assert!(again == device, "a content has two encodings");
        account.work();
    }
}
