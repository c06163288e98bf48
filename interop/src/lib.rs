//! Conversations between `moceril` and the real `vodozemac` and libolm. See the README of this
//! crate.

#![forbid(unsafe_code)]

pub mod forge;
pub mod libolm;
pub mod moving;
pub mod mutation;
pub mod ours;
pub mod peer;
pub mod refusals;
pub mod secrets;
mod tolerant;
pub mod traffic;
pub mod vodozemac;

pub use moceril::MessageVersion;
pub use moceril_testing::{
    libolm_pickle, naive,
    rng::{RecordedRng, SeededRng},
};

use crate::{
    libolm::{LibolmDevice, LibolmGroupReceiver, LibolmGroupSender},
    ours::{OurDevice, OurGroupReceiver, OurGroupSender},
    peer::{GroupReceiver, GroupSender, OlmPeer, Refusal},
    secrets::{DeviceSecrets, FarSender},
    vodozemac::{VodozemacDevice, VodozemacGroupReceiver, VodozemacGroupSender},
};

/// What an end is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    Ours,
    Vodozemac,
    Libolm,
}

impl Library {
    /// A new device without a session.
    pub fn device(self, version: MessageVersion) -> Box<dyn OlmPeer> {
        match self {
            Self::Ours => Box::new(OurDevice::new(version)),
            Self::Vodozemac => Box::new(VodozemacDevice::new(version)),
            Self::Libolm => Box::new(LibolmDevice::new(version)),
        }
    }

    /// A device made from known secrets.
    pub fn device_from(self, version: MessageVersion, secrets: &DeviceSecrets) -> Box<dyn OlmPeer> {
        match self {
            Self::Ours => Box::new(OurDevice::from_secrets(version, secrets)),
            Self::Vodozemac => Box::new(VodozemacDevice::from_secrets(version, secrets)),
            Self::Libolm => Box::new(LibolmDevice::from_secrets(version, secrets)),
        }
    }

    /// The sender of a new group session.
    pub fn group_sender(self, version: MessageVersion) -> Box<dyn GroupSender> {
        match self {
            Self::Ours => Box::new(OurGroupSender::new(version)),
            Self::Vodozemac => Box::new(VodozemacGroupSender::new(version)),
            Self::Libolm => Box::new(LibolmGroupSender::new(version)),
        }
    }

    /// The sender of a group session of version 3 at any index.
    pub fn far_group_sender(self, secrets: &FarSender) -> Box<dyn GroupSender> {
        match self {
            Self::Ours => Box::new(OurGroupSender::far(secrets)),
            Self::Vodozemac => Box::new(VodozemacGroupSender::far(secrets)),
            Self::Libolm => Box::new(LibolmGroupSender::far(secrets)),
        }
    }

    /// A receiver made from the sender's session key.
    pub fn group_receiver(
        self,
        version: MessageVersion,
        session_key: &str,
    ) -> Result<Box<dyn GroupReceiver>, Refusal> {
        Ok(match self {
            Self::Ours => Box::new(OurGroupReceiver::new(version, session_key)?),
            Self::Vodozemac => Box::new(VodozemacGroupReceiver::new(version, session_key)?),
            Self::Libolm => Box::new(LibolmGroupReceiver::new(version, session_key)?),
        })
    }

    /// A receiver made from another receiver's export.
    pub fn import_group_receiver(
        self,
        version: MessageVersion,
        exported: &str,
    ) -> Result<Box<dyn GroupReceiver>, Refusal> {
        Ok(match self {
            Self::Ours => Box::new(OurGroupReceiver::import(version, exported)?),
            Self::Vodozemac => Box::new(VodozemacGroupReceiver::import(version, exported)?),
            Self::Libolm => Box::new(LibolmGroupReceiver::import(version, exported)?),
        })
    }
}

/// Who talks to whom, in which version.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub theirs: Library,
    pub version: MessageVersion,
}

/// libolm speaks version 3 only.
pub const LIBOLM: Pair = Pair { theirs: Library::Libolm, version: MessageVersion::V3 };
pub const VODOZEMAC: Pair = Pair { theirs: Library::Vodozemac, version: MessageVersion::V3 };
pub const VODOZEMAC_V4: Pair = Pair { theirs: Library::Vodozemac, version: MessageVersion::V4 };

/// The seed in the environment variable `INTEROP_SEED`, if one failure is to be looked at alone.
pub fn chosen_seed() -> Option<u64> {
    let seed = std::env::var("INTEROP_SEED").ok()?;
    Some(seed.parse().expect("INTEROP_SEED is a number"))
}

/// Runs `story` for the seeds `0..count`, or for the chosen one. When it panics, the seed is
/// printed.
pub fn for_each_seed(count: u64, mut story: impl FnMut(u64, &mut SeededRng)) {
    let seeds = chosen_seed().map_or(0..count, |seed| seed..seed + 1);
    for seed in seeds {
        let _printed_on_panic = Seed(seed);
        story(seed, &mut SeededRng::new(seed));
    }
}

struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to see this one again: INTEROP_SEED={}", self.0);
        }
    }
}

/// Text of exactly `length` bytes.
pub fn random_text(rng: &mut SeededRng, length: usize) -> String {
    (0..length).map(|_| char::from(b' ' + rng.byte() % 95)).collect()
}

/// Lengths up to 2,000 bytes, short ones more often, and those around a cipher block in particular.
pub fn random_length(rng: &mut SeededRng) -> usize {
    match rng.below(4) {
        0 => rng.below(34),
        1 => [0, 1, 15, 16, 17, 31, 32, 33, 1_999, 2_000][rng.below(10)],
        2 => rng.below(200),
        _ => rng.below(2_001),
    }
}
