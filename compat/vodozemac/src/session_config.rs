//! The message version of a session, which Olm and Megolm have as types of their own.

macro_rules! session_config {
    ($protocol:literal) => {
        use moceril::MessageVersion;
        use serde::{Deserialize, Serialize};

        #[doc = concat!("The version of ", $protocol, " that a session speaks.")]
        #[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
        pub struct SessionConfig {
            version: Version,
        }

        #[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
        enum Version {
            V1 = 1,
            V2 = 2,
        }

        impl SessionConfig {
            /// The number of the version.
            pub const fn version(&self) -> u8 {
                self.version as u8
            }

            /// Messages with a MAC of 8 bytes: what every Matrix client speaks.
            pub const fn version_1() -> Self {
                Self { version: Version::V1 }
            }

            /// Messages with the full MAC of 32 bytes.
            #[cfg(feature = "experimental-session-config")]
            pub const fn version_2() -> Self {
                Self { version: Version::V2 }
            }

            pub(crate) const fn from_inner(version: MessageVersion) -> Self {
                let version = match version {
                    MessageVersion::V3 => Version::V1,
                    _ => Version::V2,
                };
                Self { version }
            }

            pub(crate) const fn inner(self) -> MessageVersion {
                match self.version {
                    Version::V1 => MessageVersion::V3,
                    Version::V2 => MessageVersion::V4,
                }
            }
        }

        impl Default for SessionConfig {
            fn default() -> Self {
                Self::version_1()
            }
        }
    };
}

pub(crate) use session_config;
