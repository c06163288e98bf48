//! Triple Diffie-Hellman, which gives a session its first keys. Spec: olm.md, "Initial setup".

use crate::{
    keys::Curve25519PublicKey,
    primitives::{
        edwards::PeerPoint,
        kdf::hkdf,
        secret::Secret,
        x25519::{NonContributory, SecretKey},
    },
};

/// A root key, and the first chain key that is derived with it.
pub(crate) struct RootAndChain {
    pub(crate) root: Secret<32>,
    pub(crate) chain: Secret<32>,
}

impl RootAndChain {
    /// `R || C = HKDF(salt, secret, info, 64)`
    pub(crate) fn derive(salt: Option<&Secret<32>>, secret: &[u8], info: &[u8]) -> Self {
        let okm = hkdf::<64>(salt.map(|salt| salt.as_bytes().as_slice()), secret, info);
        Self { root: okm.part::<0, 32>(), chain: okm.part::<32, 32>() }
    }
}

/// Alice's side: `S = ECDH(I_A, E_B) || ECDH(E_A, I_B) || ECDH(E_A, E_B)`.
pub(crate) fn initiate(
    identity: &SecretKey,
    base: &SecretKey,
    their_identity: &Curve25519PublicKey,
    their_one_time: &Curve25519PublicKey,
) -> Result<RootAndChain, NonContributory> {
    let (their_identity, their_one_time) =
        (PeerPoint::new(their_identity.as_bytes()), PeerPoint::new(their_one_time.as_bytes()));
    combine([(identity, &their_one_time), (base, &their_identity), (base, &their_one_time)])
}

/// Bob's side of the same three agreements, in the same order.
pub(crate) fn respond(
    identity: &SecretKey,
    one_time: &SecretKey,
    their_identity: &Curve25519PublicKey,
    their_base: &Curve25519PublicKey,
) -> Result<RootAndChain, NonContributory> {
    let (their_identity, their_base) =
        (PeerPoint::new(their_identity.as_bytes()), PeerPoint::new(their_base.as_bytes()));
    combine([(one_time, &their_identity), (identity, &their_base), (one_time, &their_base)])
}

/// `R_0 || C_0,0 = HKDF(0, S, "OLM_ROOT", 64)`, where `S` is the concatenation of the three
/// agreements.
fn combine(pairs: [(&SecretKey, &PeerPoint); 3]) -> Result<RootAndChain, NonContributory> {
    let [first, second, third] = SecretKey::agree_all(pairs);
    let (first, second, third) = (first?, second?, third?);
    let secret = Secret::<96>::concat((first.as_bytes(), second.as_bytes(), third.as_bytes()));
    Ok(RootAndChain::derive(None, secret.as_bytes(), b"OLM_ROOT"))
}
