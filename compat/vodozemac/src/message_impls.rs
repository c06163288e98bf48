//! What all messages share: they are sent as base64.

macro_rules! message_impls {
    ($message:ident) => {
        impl ::serde::Serialize for $message {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_base64())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $message {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::from_base64(&text).map_err(::serde::de::Error::custom)
            }
        }

        impl TryFrom<&str> for $message {
            type Error = $crate::DecodeError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::from_base64(text)
            }
        }

        impl TryFrom<Vec<u8>> for $message {
            type Error = $crate::DecodeError;

            fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
                Self::from_bytes(&bytes)
            }
        }

        impl TryFrom<&[u8]> for $message {
            type Error = $crate::DecodeError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                Self::from_bytes(bytes)
            }
        }
    };
}

pub(crate) use message_impls;
