//! Restoring the keys of an export into memory.

use std::rc::Rc;

use ::vodozemac::megolm as vodozemac_megolm;
use base64ct::{Base64Unpadded, Encoding};
use interop::SeededRng;
use moceril::megolm::{ExportedSessionKey, InboundGroupSession};
use olm_rs::inbound_group_session::OlmInboundGroupSession;

use super::grouped;
use crate::{
    contender::{Contender, Who, prepared},
    ends::vodozemac,
    lower_bound::ed25519_public,
    measure::Row,
};

pub fn row(count: usize) -> Row {
    let name = format!("restore {} keys from an export", grouped(count));
    Row::new(name, 1, move || {
        let keys: Rc<[String]> = exported_keys(count).into();
        vec![
            (Who::Ours, read_all(keys.clone(), import_ours)),
            (Who::Vodozemac, read_all(keys.clone(), import_vodozemac)),
            (Who::Libolm, read_all(keys, import_libolm)),
        ]
    })
}

/// Reads every text, into a list, whose end is not part of the time.
pub fn read_all<T: 'static>(texts: Rc<[String]>, read: fn(&str) -> T) -> Box<dyn Contender> {
    prepared(|| (), move |()| texts.iter().map(|text| read(text)).collect::<Vec<_>>())
}

pub fn import_ours(key: &str) -> InboundGroupSession {
    InboundGroupSession::import(&ExportedSessionKey::from_base64(key).unwrap())
}

pub fn import_vodozemac(key: &str) -> vodozemac_megolm::InboundGroupSession {
    let key = vodozemac_megolm::ExportedSessionKey::from_base64(key).unwrap();
    vodozemac_megolm::InboundGroupSession::import(&key, vodozemac::megolm_config())
}

pub fn import_libolm(key: &str) -> OlmInboundGroupSession {
    OlmInboundGroupSession::import(key).unwrap()
}

/// Different keys, the same in every run: version, index, ratchet, public key.
pub fn exported_keys(count: usize) -> Vec<String> {
    let mut rng = SeededRng::new(5);
    (0..count)
        .map(|_| {
            let ratchet: [u8; 128] = rng.bytes();
            let public = ed25519_public(&rng.bytes());
            let parts = [&[1][..], &[0; 4], &ratchet, public.as_bytes()];
            Base64Unpadded::encode_string(&parts.concat())
        })
        .collect()
}
