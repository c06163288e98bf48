//! HPKE in base mode (RFC 9180): DHKEM(X25519, HKDF-SHA-256), HKDF-SHA-256, ChaCha20-Poly1305.

use alloc::vec::Vec;
use core::{convert::Infallible, fmt};

use ::hpke::{
    Deserializable, HpkeError, Kem as _, OpModeR, OpModeS, Serializable,
    aead::{AeadCtxR, AeadCtxS, AeadTag, ChaCha20Poly1305},
    danger::streaming_enc::{
        AeadKey, AeadNonce, ExporterSecret, create_receiver_context, create_sender_context,
    },
    inout::InOutBuf,
    kdf::HkdfSha256,
    kem::X25519HkdfSha256 as Kem,
    setup_receiver, setup_sender_with_rng,
};
use rand::{TryCryptoRng, TryRng};

use super::{chacha20poly1305::TAG_LENGTH, rng::draw, secret::Secret, x25519::NonContributory};
use crate::error::RandomError;

/// A private key of the KEM, wiped on drop.
pub(crate) struct SecretKey(<Kem as ::hpke::Kem>::PrivateKey);

impl SecretKey {
    /// `DeriveKeyPair` (RFC 9180, 7.1.3) of 32 random bytes, and the public key.
    pub(crate) fn generate<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
    ) -> Result<(Self, [u8; 32]), RandomError> {
        let ikm = draw::<32, _>(rng)?;
        let (secret, public) = Kem::derive_keypair(ikm.as_bytes());
        Ok((Self(secret), public.to_bytes().into()))
    }
}

/// Why no sending context could be made.
#[derive(Debug)]
pub(crate) enum SetupError {
    NonContributory,
    Random,
}

/// Why a context did not seal or open a message. The context is unchanged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ContextError {
    Forged,
    /// The counter is at its end, or the message is beyond the cipher's limit of 256 GiB. Also,
    /// though no call leads to it, more bytes were to be exported than there are.
    Exhausted,
}

/// `ContextS`, which seals a sequence of messages.
pub(crate) struct ContextS(AeadCtxS<ChaCha20Poly1305, HkdfSha256, Kem>);

/// `ContextR`, which opens them in the same order.
pub(crate) struct ContextR(AeadCtxR<ChaCha20Poly1305, HkdfSha256, Kem>);

/// S-29: none of the three prints anything.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl fmt::Debug for ContextS {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextS(..)")
    }
}

impl fmt::Debug for ContextR {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextR(..)")
    }
}

/// `SetupBaseS(pkR, info)` (RFC 9180, 5.1.1): the encapsulated key and the context.
pub(crate) fn setup_sender<R: TryCryptoRng + ?Sized>(
    their_public: &[u8; 32],
    info: &[u8],
    rng: &mut R,
) -> Result<([u8; 32], ContextS), SetupError> {
    let public = <Kem as ::hpke::Kem>::PublicKey::from_bytes(their_public)
        .map_err(|_| SetupError::NonContributory)?;
    let ikm = draw(rng).map_err(|RandomError| SetupError::Random)?;
    let mut drawn = Drawn { ikm: Some(ikm), used_otherwise: false };
    let (encapsulated, context) =
        setup_sender_with_rng::<_, _, Kem>(&OpModeS::Base, &public, info, &mut drawn)
            .map_err(|_| SetupError::NonContributory)?;
    drawn.vouch((encapsulated.to_bytes().into(), ContextS(context)))
}

/// `SetupBaseR(enc, skR, info)` (RFC 9180, 5.1.1).
pub(crate) fn setup_recipient(
    encapsulated: &[u8; 32],
    secret: &SecretKey,
    info: &[u8],
) -> Result<ContextR, NonContributory> {
    let encapsulated =
        <Kem as ::hpke::Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| NonContributory)?;
    setup_receiver(&OpModeR::Base, &secret.0, &encapsulated, info)
        .map(ContextR)
        .map_err(|_| NonContributory)
}

impl ContextS {
    /// `Context<S>(key, base_nonce, 0, …)`, from which nothing can be exported.
    pub(crate) fn from_key(key: &Secret<32>, base_nonce: &Secret<12>) -> Self {
        let key = AeadKey((*key.as_bytes()).into());
        let nonce = AeadNonce((*base_nonce.as_bytes()).into());
        Self(create_sender_context(&key, nonce, ExporterSecret::default()))
    }

    /// The ciphertext and the tag of the next message (RFC 9180, 5.2).
    pub(crate) fn seal(
        &mut self,
        plaintext: &[u8],
        associated_data: &[u8],
    ) -> Result<Vec<u8>, ContextError> {
        // The buffer has its full size from the start, because a buffer that grows leaves copies of
        // the plaintext behind.
        let mut message = Vec::with_capacity(plaintext.len().saturating_add(TAG_LENGTH));
        message.extend_from_slice(plaintext);
        let tag = self
            .0
            .seal_inout_detached(InOutBuf::from(message.as_mut_slice()), associated_data)
            .map_err(|_| ContextError::Exhausted)?;
        message.extend_from_slice(&tag.to_bytes());
        Ok(message)
    }

    /// `Context.Export(exporter_context, N)` (RFC 9180, 5.3).
    pub(crate) fn export<const N: usize>(
        &self,
        exporter_context: &[u8],
    ) -> Result<Secret<N>, ContextError> {
        export(|bytes| self.0.export(exporter_context, bytes))
    }
}

impl ContextR {
    /// `Context<R>(key, base_nonce, 0, …)`, from which nothing can be exported.
    pub(crate) fn from_key(key: &Secret<32>, base_nonce: &Secret<12>) -> Self {
        let key = AeadKey((*key.as_bytes()).into());
        let nonce = AeadNonce((*base_nonce.as_bytes()).into());
        Self(create_receiver_context(&key, nonce, ExporterSecret::default()))
    }

    /// The plaintext of the next message, after its tag was verified (RFC 9180, 5.2). A refused
    /// message does not change the context.
    pub(crate) fn open(
        &mut self,
        message: &[u8],
        associated_data: &[u8],
    ) -> Result<Vec<u8>, ContextError> {
        let (ciphertext, tag) =
            message.split_last_chunk::<TAG_LENGTH>().ok_or(ContextError::Forged)?;
        let tag = AeadTag::from_bytes(tag).map_err(|_| ContextError::Forged)?;
        let mut plaintext = ciphertext.to_vec();
        self.0
            .open_inout_detached(InOutBuf::from(plaintext.as_mut_slice()), associated_data, &tag)
            .map_err(|error| match error {
                HpkeError::MessageLimitReached => ContextError::Exhausted,
                _ => ContextError::Forged,
            })?;
        Ok(plaintext)
    }

    /// `Context.Export(exporter_context, N)` (RFC 9180, 5.3).
    pub(crate) fn export<const N: usize>(
        &self,
        exporter_context: &[u8],
    ) -> Result<Secret<N>, ContextError> {
        export(|bytes| self.0.export(exporter_context, bytes))
    }
}

fn export<const N: usize>(
    fill: impl FnOnce(&mut [u8]) -> Result<(), HpkeError>,
) -> Result<Secret<N>, ContextError> {
    // RFC 9180, 5.3: at most 255 hashes. The compiler checks each `N`.
    const { assert!(N <= 255 * 32) };
    let mut exported = Secret::default();
    fill(exported.as_mut_bytes()).map_err(|_| ContextError::Exhausted)?;
    Ok(exported)
}

/// A random source that gives 32 bytes once. They are drawn beforehand, so that our code handles a
/// failing source, and not the crate hpke.
struct Drawn {
    ikm: Option<Secret<32>>,
    /// Whether anything else was requested. If so, the source gave no randomness, and the context
    /// is not used.
    used_otherwise: bool,
}

impl Drawn {
    /// Returns what was made with this source, unless it was made without randomness.
    fn vouch<T>(self, made: T) -> Result<T, SetupError> {
        if self.used_otherwise { Err(SetupError::Random) } else { Ok(made) }
    }
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.used_otherwise = true;
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.used_otherwise = true;
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        match (self.ikm.take(), <&mut [u8; 32]>::try_from(bytes)) {
            (Some(ikm), Ok(bytes)) => *bytes = *ikm.as_bytes(),
            _ => self.used_otherwise = true,
        }
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives these bytes for every draw.
    struct Given([u8; 32]);

    impl TryRng for Given {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            unreachable!()
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            unreachable!()
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.copy_from_slice(&self.0);
            Ok(())
        }
    }

    impl TryCryptoRng for Given {}

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let byte = |place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap();
        assert_eq!(text.len(), 2 * N);
        core::array::from_fn(byte)
    }

    const INFO: &[u8] = b"Ode on a Grecian Urn";
    const PLAINTEXT: &[u8] = b"Beauty is truth, truth beauty";
    const KEY: &str = "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91";
    const IKM_E: &str = "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b";
    const IKM_R: &str = "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df";

    /// S-36: RFC 9180, A.2.1, from the randomness to the exported secrets.
    #[test]
    fn rfc9180_a_2_1() {
        let (secret, public) = SecretKey::generate(&mut Given(hex(IKM_R))).unwrap();
        assert_eq!(public, hex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"));
        let (encapsulated, mut sender) =
            setup_sender(&public, INFO, &mut Given(hex(IKM_E))).unwrap();
        assert_eq!(
            encapsulated,
            hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
        );
        let mut recipient = setup_recipient(&encapsulated, &secret, INFO).unwrap();
        let key = Secret::new(hex(KEY));
        let base_nonce = Secret::new(hex("5c4d98150661b848853b547f"));
        let mut by_key =
            (ContextS::from_key(&key, &base_nonce), ContextR::from_key(&key, &base_nonce));
        for number in 0..=256 {
            let aad = alloc::format!("Count-{number}");
            let sealed = sender.seal(PLAINTEXT, aad.as_bytes()).unwrap();
            if let Some((_, expected)) = CIPHERTEXTS.iter().find(|(at, _)| *at == number) {
                assert_eq!(sealed, hex::<45>(expected), "{number}");
            }
            assert_eq!(by_key.0.seal(PLAINTEXT, aad.as_bytes()).unwrap(), sealed);
            assert_eq!(by_key.1.open(&sealed, aad.as_bytes()).unwrap(), PLAINTEXT);
            assert_eq!(recipient.open(&sealed, aad.as_bytes()).unwrap(), PLAINTEXT);
        }
        for (context, expected) in EXPORTS {
            assert_eq!(*sender.export::<32>(context).unwrap().as_bytes(), hex(expected));
            assert_eq!(*recipient.export::<32>(context).unwrap().as_bytes(), hex(expected));
        }
    }

    const CIPHERTEXTS: [(u32, &str); 6] = [
        (
            0,
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
        ),
        (
            1,
            "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59992dc98c",
        ),
        (
            2,
            "71146bd6795ccc9c49ce25dda112a48f202ad220559502cef1f34271e0cb4b02b4f10ecac6f48c32f878fae86b",
        ),
        (
            4,
            "63357a2aa291f5a4e5f27db6baa2af8cf77427c7c1a909e0b37214dd47db122bb153495ff0b02e9e54a50dbe16",
        ),
        (
            255,
            "18ab939d63ddec9f6ac2b60d61d36a7375d2070c9b683861110757062c52b8880a5f6b3936da9cd6c23ef2a95c",
        ),
        (
            256,
            "7a4a13e9ef23978e2c520fd4d2e757514ae160cd0cd05e556ef692370ca53076214c0c40d4c728d6ed9e727a5b",
        ),
    ];

    const EXPORTS: [(&[u8], &str); 3] = [
        (b"", "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e"),
        (&[0], "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69"),
        (b"TestContext", "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53"),
    ];

    /// S-29: the types from which the channels derive `Debug` show nothing of a key.
    #[test]
    fn keys_are_not_printed() {
        let (secret, public) = SecretKey::generate(&mut Given(hex(IKM_R))).unwrap();
        assert_eq!(alloc::format!("{secret:?}"), "SecretKey(..)");
        let (encapsulated, sender) = setup_sender(&public, INFO, &mut Given(hex(IKM_E))).unwrap();
        assert_eq!(alloc::format!("{sender:?}"), "ContextS(..)");
        let recipient = setup_recipient(&encapsulated, &secret, INFO).unwrap();
        assert_eq!(alloc::format!("{recipient:?}"), "ContextR(..)");
    }

    /// S-01: the redundant check. Neither end makes a context with a key of low order.
    #[test]
    fn low_order_keys_make_no_context() {
        let (secret, _) = SecretKey::generate(&mut Given(hex(IKM_R))).unwrap();
        for public in [[0; 32], core::array::from_fn(|place| u8::from(place == 0))] {
            let sender = setup_sender(&public, INFO, &mut Given(hex(IKM_E)));
            assert!(matches!(sender, Err(SetupError::NonContributory)));
            assert!(setup_recipient(&public, &secret, INFO).is_err());
        }
    }

    /// S-03: drawn bytes are given out once, and any other request is detected.
    #[test]
    fn drawn_bytes_are_given_once() {
        let drawn = || Drawn { ikm: Some(Secret::new([7; 32])), used_otherwise: false };
        for length in [0, 31, 32, 33, 64] {
            let mut rng = drawn();
            rng.try_fill_bytes(&mut [0; 64][..length]).unwrap();
            assert_eq!(rng.vouch(()).is_ok(), length == 32, "{length}");
        }
        let mut numbers = [drawn(), drawn()];
        assert_eq!(numbers[0].try_next_u32(), Ok(0));
        assert_eq!(numbers[1].try_next_u64(), Ok(0));
        assert!(numbers.into_iter().all(|rng| rng.vouch(()).is_err()));
        let (mut rng, mut bytes) = (drawn(), [0; 32]);
        rng.try_fill_bytes(&mut bytes).unwrap();
        assert_eq!(bytes, [7; 32]);
        rng.try_fill_bytes(&mut bytes).unwrap();
        assert!(matches!(rng.vouch(()), Err(SetupError::Random)));
    }
}
