//! `OlmSAS`.

use moceril::{
    Curve25519PublicKey,
    sas::{EstablishedSas, MacMethod, Sas},
};
use zeroize::Zeroizing;

use crate::{
    base64::{self, BLANK_KEY, KEY_LENGTH},
    error::{Code, Result},
    memory::{Input, Kind, Memory, Object, Output},
    object::{Stored, ask, call, load, load_or_blank, size_with, store},
    random::Random,
};

const KEY: usize = 32;
/// Our private and public key.
const OUR_KEYS: usize = KEY + KEY;

/// The keys of a verification.
pub(crate) struct Keys {
    private: Zeroizing<[u8; KEY]>,
    public: [u8; KEY],
    theirs: Option<Curve25519PublicKey>,
}

impl Kind for Keys {
    const SIZE: usize = size_with(OUR_KEYS + KEY);
}

impl Stored for Keys {
    const BLANK: Code = Code::BadAccountKey;

    fn read(content: &[u8]) -> Option<Self> {
        let (private, rest) = content.split_first_chunk()?;
        let (public, rest) = rest.split_first_chunk()?;
        let theirs = match rest {
            [] => None,
            key => Some(Curve25519PublicKey::from_slice(key).ok()?),
        };
        Some(Self { private: Zeroizing::new(*private), public: *public, theirs })
    }

    fn write(&self, content: &mut [u8]) -> Option<usize> {
        let theirs = self.theirs.as_ref().map_or(&[][..], |key| key.as_bytes());
        let mut rest = content;
        for part in [&self.private[..], &self.public, theirs] {
            let (place, unwritten) = rest.split_at_mut_checked(part.len())?;
            place.copy_from_slice(part);
            rest = unwritten;
        }
        OUR_KEYS.checked_add(theirs.len())
    }
}

impl Keys {
    fn sas(private: &[u8]) -> Result<Sas> {
        Sas::with_rng(&mut Random(private)).map_err(|_| Code::NotEnoughRandom)
    }

    fn establish(&self) -> Result<EstablishedSas> {
        let theirs = self.theirs.ok_or(Code::SasTheirKeyNotSet)?;
        Self::sas(&self.private[..])?.diffie_hellman(theirs).map_err(|_| Code::BadAccountKey)
    }
}

/// The agreed secret of an object. A blank one has no key of theirs either.
fn establish(memory: &Memory, sas: Object<Keys>) -> Result<EstablishedSas> {
    load_or_blank(memory, sas)?.ok_or(Code::SasTheirKeyNotSet)?.establish()
}

/// `olm_create_sas_random_length`
pub(crate) fn create_random_length(_: Object<Keys>) -> usize {
    KEY
}

/// `olm_create_sas`: the random bytes are the private key; they are left alone.
pub(crate) fn create(sas: Object<Keys>, random: Input) -> usize {
    call(sas, |memory| {
        let random = memory.random(random)?;
        let private = *random.first_chunk().ok_or(Code::NotEnoughRandom)?;
        let public = *Keys::sas(&private)?.public_key().as_bytes();
        store(memory, sas, &Keys { private: Zeroizing::new(private), public, theirs: None })?;
        Ok(0)
    })
}

/// `olm_sas_pubkey_length`
pub(crate) fn public_key_length(_: Object<Keys>) -> usize {
    KEY_LENGTH
}

/// `olm_sas_get_pubkey`: returns 0. Zeros for a blank object.
pub(crate) fn public_key(sas: Object<Keys>, key: Output) -> usize {
    call(sas, |memory| {
        let room = memory.room(key, KEY_LENGTH)?;
        let key = load_or_blank(memory, sas)?.map(|keys| base64::encode(&keys.public));
        memory.write(room, key.as_deref().unwrap_or(BLANK_KEY).as_bytes());
        Ok(0)
    })
}

/// `olm_sas_set_their_key`: the first 32 bytes of what the text decodes to are the key. Our own
/// key, which somebody has sent back to us, is refused.
pub(crate) fn set_their_key(sas: Object<Keys>, key: Input) -> usize {
    call(sas, |memory| {
        if key.length < KEY_LENGTH {
            return Err(Code::InputBufferTooSmall);
        }
        let key = base64::decode(memory.bytes(key)?)?;
        let key = Curve25519PublicKey::from_bytes(base64::first_chunk(&key)?)
            .map_err(|_| Code::BadAccountKey)?;
        let keys = load(memory, sas)?;
        if *key.as_bytes() == keys.public {
            return Err(Code::BadAccountKey);
        }
        let keys = Keys { theirs: Some(key), ..keys };
        store(memory, sas, &keys)?;
        Ok(0)
    })
}

/// `olm_sas_is_their_key_set`
pub(crate) fn is_their_key_set(sas: Object<Keys>) -> i32 {
    ask(sas, |keys| keys.theirs.is_some(), false).into()
}

/// `olm_sas_generate_bytes`: as many bytes as asked for, but no more than HKDF gives.
pub(crate) fn generate_bytes(sas: Object<Keys>, info: Input, output: Output) -> usize {
    call(sas, |memory| {
        let established = establish(memory, sas)?;
        let room = memory.room(output, output.length)?;
        let info = memory.bytes(info)?;
        let bytes =
            established.bytes_raw(info, output.length).map_err(|_| Code::InputBufferTooSmall)?;
        memory.write(room, &Zeroizing::new(bytes));
        Ok(0)
    })
}

/// `olm_sas_mac_length`
pub(crate) fn mac_length(_: Object<Keys>) -> usize {
    KEY_LENGTH
}

/// `olm_sas_calculate_mac`: the MAC in its old encoding (S-32).
pub(crate) fn calculate_mac(sas: Object<Keys>, input: Input, info: Input, mac: Output) -> usize {
    calculate(sas, MacMethod::HkdfHmacSha256, input, info, mac)
}

/// `olm_sas_calculate_mac_fixed_base64`: the MAC in base64.
pub(crate) fn calculate_mac_fixed_base64(
    sas: Object<Keys>,
    input: Input,
    info: Input,
    mac: Output,
) -> usize {
    calculate(sas, MacMethod::HkdfHmacSha256V2, input, info, mac)
}

/// `olm_sas_calculate_mac_long_kdf`: the MAC with a key of 256 bytes, in its old encoding.
pub(crate) fn calculate_mac_long_kdf(
    sas: Object<Keys>,
    input: Input,
    info: Input,
    mac: Output,
) -> usize {
    calculate(sas, MacMethod::HmacSha256LongKdf, input, info, mac)
}

fn calculate(
    sas: Object<Keys>,
    method: MacMethod,
    input: Input,
    info: Input,
    mac: Output,
) -> usize {
    call(sas, |memory| {
        let room = memory.room(mac, KEY_LENGTH)?;
        let established = establish(memory, sas)?;
        let input = memory.bytes(input)?;
        let info = memory.bytes(info)?;
        let mac = established.calculate_mac(method, input, info);
        memory.write(room, mac.as_bytes());
        Ok(0)
    })
}
