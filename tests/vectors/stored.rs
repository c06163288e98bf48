//! S-24: dehydrated devices that vodozemac wrote are rehydrated. Bad dehydrated devices, vodozemac
//! pickles and exported room keys are refused by the layer that the file names.

use base64ct::Encoding;
use moceril::{
    DehydratedDevice, DehydratedDeviceError, MessageVersion, PickleKey,
    olm::{Account, OlmMessage},
};
use moceril_testing::{
    fixtures::{config, pre_key},
    rng::RecordedRng,
    vector_file::{Layer, VectorFile, assert_at_least, check_each, files, item_bytes, number},
};

#[test]
fn dehydrated_devices() {
    let files = files("dehydrated-device");
    check_each(&files, |file| {
        assert_eq!(file.kind, "dehydrated-device");
        device(file);
    });
    assert_at_least(&files, "dehydrated-device", 3, 18);
}

fn device(file: &VectorFile) {
    let key = PickleKey::from_bytes(file.array("key"));
    let (ciphertext, nonce) = (file.text("ciphertext").to_owned(), file.text("nonce").to_owned());
    let device = DehydratedDevice { ciphertext, nonce };
    let rehydrated = Account::rehydrate(&device, &key);
    let mut account = match (rehydrated, file.expect) {
        (Ok(account), None) => account,
        (result, expected) => return assert_eq!(result.err().map(device_layer), expected),
    };
    assert_eq!(account.curve25519_key().to_base64(), file.text("identity-key"));
    assert_eq!(account.ed25519_key().to_base64(), file.text("signing-key"));
    let nonce = base64ct::Base64Unpadded::decode_vec(&device.nonce).unwrap();
    let again = account.dehydrate_with_rng(&key, &mut RecordedRng::new(nonce));
    assert_eq!(again, Ok(device));
    for step in file.steps() {
        let ["receive", kind, body, plaintext] = *step.as_slice() else {
            panic!("unknown step {step:?}")
        };
        let message = OlmMessage::from_parts(number(kind) as usize, body).unwrap();
        let (message, config) = (pre_key(&message), config(MessageVersion::V3));
        let sender = message.identity_key();
        let made = account.create_inbound_session_with_config(sender, &message, config).unwrap();
        assert_eq!(made.message.plaintext(), item_bytes(plaintext));
    }
}

fn device_layer(error: DehydratedDeviceError) -> Layer {
    match error {
        DehydratedDeviceError::Base64(_) => Layer::Base64,
        DehydratedDeviceError::Authentication => Layer::Mac,
        DehydratedDeviceError::Version(_) => Layer::Version,
        DehydratedDeviceError::Nonce(_) | DehydratedDeviceError::InvalidState => Layer::Format,
        error => panic!("{error:?} has no layer"),
    }
}

/// No rounds at all are a fault of the shape; which files ask for too many, the caller says.
#[test]
fn refused_key_exports() {
    use moceril::key_export::{self, KeyExportError};

    let files = files("key-export-refused");
    check_each(&files, |file| {
        assert_eq!(file.kind, "key-export-refused");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let exported = text(base64ct::Base64Unpadded::decode_vec(file.text("file")).unwrap());
        let passphrase = text(file.bytes("passphrase"));
        let error = key_export::decrypt(&exported, &passphrase, key_export::MAX_ROUNDS);
        let layer = match error.expect_err("accepted") {
            KeyExportError::NoHeader
            | KeyExportError::CutOff
            | KeyExportError::TooShort
            | KeyExportError::NotText
            | KeyExportError::Rounds { rounds: 0, .. } => Layer::Format,
            KeyExportError::Base64(_) => Layer::Base64,
            KeyExportError::Version(_) => Layer::Version,
            KeyExportError::Authentication => Layer::Mac,
            error => panic!("{error:?} has no layer"),
        };
        assert_eq!(Some(layer), file.expect);
    });
    assert_at_least(&files, "key-export-refused", 0, 34);
}

mod vodozemac {
    use moceril::{
        megolm::{GroupSession, InboundGroupSession},
        olm::{Account, Session},
        vodozemac::VodozemacPickleError,
    };

    use moceril_testing::{
        vector_file::{Layer, assert_at_least, check_each, files},
        vodozemac_pickle::ViaVodozemac,
    };

    /// A bad key in the JSON is one error with a bad shape of it.
    fn is_refused<T: ViaVodozemac>(pickle: &str, key: &[u8; 32], layer: Layer) -> bool {
        match T::from_encrypted(pickle, key).err().expect("accepted") {
            VodozemacPickleError::Base64(_) => layer == Layer::Base64,
            VodozemacPickleError::Authentication => layer == Layer::Mac,
            VodozemacPickleError::InvalidState => matches!(layer, Layer::Format | Layer::Key),
            error => panic!("{error:?} has no layer"),
        }
    }

    #[test]
    fn refused_pickles() {
        let files = files("vodozemac-pickle-refused");
        check_each(&files, |file| {
            assert_eq!(file.kind, "vodozemac-pickle-refused");
            let (pickle, key) = (file.text("pickle"), file.array("pickle-key"));
            let refuses = match file.text("object") {
                "account" => is_refused::<Account>,
                "session" => is_refused::<Session>,
                "group-session" => is_refused::<GroupSession>,
                "inbound-group-session" => is_refused::<InboundGroupSession>,
                other => panic!("no object {other}"),
            };
            assert!(refuses(pickle, &key, file.expect.unwrap()), "refused by another layer");
        });
        assert_at_least(&files, "vodozemac-pickle-refused", 0, 77);
    }
}
