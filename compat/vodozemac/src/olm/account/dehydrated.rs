//! Dehydrated devices (MSC3814).

use moceril::{DehydratedDevice, PickleKey, olm as core};

use super::{Account, DehydratedDeviceResult};
use crate::{DehydratedDeviceError, convert::dehydrated_device_error};

impl Account {
    /// Encrypts the keys of this account for the server. The previous fallback key, and what the
    /// fallback key remembers against replays, are not part of a dehydrated device.
    ///
    /// # Errors
    ///
    /// [`DehydratedDeviceError::InvalidAccount`] for an account that came from libolm.
    pub fn to_dehydrated_device(
        &self,
        key: &[u8; 32],
    ) -> Result<DehydratedDeviceResult, DehydratedDeviceError> {
        self.inner
            .dehydrate_lossy(&PickleKey::from_bytes(*key))
            .map(|(DehydratedDevice { ciphertext, nonce }, _)| DehydratedDeviceResult {
                ciphertext,
                nonce,
            })
            .map_err(|error| dehydrated_device_error(error, "", ""))
    }

    /// Takes over a dehydrated device. All its keys count as published, and have ids that no other
    /// key has.
    ///
    /// # Errors
    ///
    /// [`DehydratedDeviceError`].
    pub fn from_dehydrated_device(
        ciphertext: &str,
        nonce: &str,
        key: &[u8; 32],
    ) -> Result<Self, DehydratedDeviceError> {
        let device = DehydratedDevice { ciphertext: ciphertext.into(), nonce: nonce.into() };
        core::Account::rehydrate(&device, &PickleKey::from_bytes(*key))
            .map(Self::from_inner)
            .map_err(|error| dehydrated_device_error(error, ciphertext, nonce))
    }
}
