//! Triple Diffie-Hellman. Spec: olm.md, "Initial setup".

use crate::{
    keys::Curve25519PublicKey,
    primitives::{
        curve25519::{NonContributory, SecretKey},
        kdf::hkdf,
        secret::Secret,
        x25519::Peer,
    },
};

/// A root key and the first chain key below it.
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
    let their_one_time = Peer::new(their_one_time.as_bytes());
    Ok(combine([
        identity.agree_with(&their_one_time)?,
        base.agree(their_identity.as_bytes())?,
        base.agree_with(&their_one_time)?,
    ]))
}

/// Bob's side of the same three agreements, in the same order.
pub(crate) fn respond(
    identity: &SecretKey,
    one_time: &SecretKey,
    their_identity: &Curve25519PublicKey,
    their_base: &Curve25519PublicKey,
) -> Result<RootAndChain, NonContributory> {
    let their_base = Peer::new(their_base.as_bytes());
    Ok(combine([
        one_time.agree(their_identity.as_bytes())?,
        identity.agree_with(&their_base)?,
        one_time.agree_with(&their_base)?,
    ]))
}

/// `R_0 || C_0,0 = HKDF(0, S, "OLM_ROOT", 64)`
fn combine(agreements: [Secret<32>; 3]) -> RootAndChain {
    let [first, second, third] =
        agreements.each_ref().map(|agreement| agreement.as_bytes().as_slice());
    let secret = Secret::<96>::concat(&[first, second, third]);
    RootAndChain::derive(None, secret.as_bytes(), b"OLM_ROOT")
}
