//! The lower bound for many messages under one key, if one equation with random coefficients
//! verifies all signatures: a sum of products, with a term for each message and one for each of the
//! two fixed points.
//!
//! The library does not do so, because such an equation does not detect every small-order component
//! of an `R` (S-15).

use curve25519_dalek::{
    EdwardsPoint, Scalar,
    constants::ED25519_BASEPOINT_POINT,
    edwards::CompressedEdwardsY,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha512};

use crate::lower_bound::{
    draw,
    megolm::{Event, Receiver},
};

pub fn receive_together(receiver: &mut Receiver, events: &mut [Event]) {
    assert!(one_equation(receiver.key(), events).is_identity());
    for event in events {
        receiver.receive_verified(event);
    }
}

/// The sum of `z R + z k A - z S B` over all messages, with `z` drawn for each.
fn one_equation(key: &VerifyingKey, events: &[Event]) -> EdwardsPoint {
    let (mut scalars, mut points) = (Vec::new(), Vec::new());
    let (mut of_key, mut of_base) = (Scalar::ZERO, Scalar::ZERO);
    for event in events {
        let (message, signature) = event.signed();
        let z = Scalar::from(u128::from_le_bytes(draw()));
        let hash = Sha512::new()
            .chain_update(signature.r_bytes())
            .chain_update(key.as_bytes())
            .chain_update(message);
        of_key += z * Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        of_base -= z * Scalar::from_canonical_bytes(*signature.s_bytes()).unwrap();
        scalars.push(z);
        points.push(CompressedEdwardsY(*signature.r_bytes()).decompress().unwrap());
    }
    scalars.extend([of_key, of_base]);
    points.extend([key.to_edwards(), ED25519_BASEPOINT_POINT]);
    EdwardsPoint::vartime_multiscalar_mul(scalars, points)
}
