//! `test-vectors/ecies/` through the public API.

use moceril::ecies::{ChannelError, DigitMode, Ecies, EstablishedEcies, InitialMessage, Message};
use moceril_testing::{
    channel_vectors::check_channels,
    rng::RecordedRng,
    vector_file::{VectorFile, item_bytes},
};

/// S-01, S-04, S-07, S-30, S-33: keys, messages and check codes are those of MSC4108, byte for
/// byte; what is wrong is refused by the layer that the file names, and the channel goes on.
#[test]
fn vectors() {
    check_channels("ecies", InitialMessage::decode, transcript, (6, 21));
}

fn transcript(file: &VectorFile) {
    let info = String::from_utf8(file.bytes("info")).unwrap();
    let [mut recipient, mut initiator] = ["recipient", "initiator"].map(|who| {
        let mut rng = RecordedRng::new(file.bytes(&format!("{who}-random")));
        let ecies = Ecies::with_rng(&mut rng).unwrap().with_info(&info);
        assert_eq!(rng.left(), 0);
        assert_eq!(ecies.public_key().to_base64(), file.text(&format!("{who}-key")));
        Some(ecies)
    });
    // The initiator's end and the recipient's.
    let mut ends: Option<[EstablishedEcies; 2]> = None;
    for step in file.steps() {
        match (step.as_slice(), &mut ends) {
            (["initiator", "begin", plaintext, text], None) => {
                let plaintext = item_bytes(plaintext);
                let recipient = recipient.take().unwrap();
                let key = recipient.public_key();
                let outbound =
                    initiator.take().unwrap().establish_outbound_channel(key, &plaintext).unwrap();
                assert_eq!(outbound.message.encode(), *text);
                let message = InitialMessage::decode(text).unwrap();
                let inbound = recipient.establish_inbound_channel(&message).unwrap();
                assert_eq!(inbound.plaintext, plaintext);
                ends = Some([outbound.channel, inbound.channel]);
            }
            (["recipient", "refuse", "mac", text], None) => {
                let message = InitialMessage::decode(text).unwrap();
                let refused = recipient.take().unwrap().establish_inbound_channel(&message);
                let refused = refused.unwrap_err();
                assert_eq!(refused.error, ChannelError::Authentication);
                recipient = Some(refused.unchanged);
            }
            ([who, "send", plaintext, text], Some([initiator, recipient])) => {
                let plaintext = item_bytes(plaintext);
                let (from, to) = match *who {
                    "initiator" => (initiator, recipient),
                    "recipient" => (recipient, initiator),
                    _ => panic!("nobody is {who:?}"),
                };
                assert_eq!(from.encrypt(&plaintext).unwrap().encode(), *text);
                assert_eq!(to.decrypt(&Message::decode(text).unwrap()).unwrap(), plaintext);
            }
            ([who, "refuse", "mac", text], Some([initiator, recipient])) => {
                let end = match *who {
                    "initiator" => initiator,
                    "recipient" => recipient,
                    _ => panic!("nobody is {who:?}"),
                };
                let message = Message::decode(text).unwrap();
                assert_eq!(end.decrypt(&message), Err(ChannelError::Authentication));
            }
            _ => panic!("unknown step, or not in this place: {step:?}"),
        }
    }
    for end in ends.unwrap() {
        let code = end.check_code();
        assert_eq!(*code.as_bytes(), file.array("check-code"));
        let digits = format!("{:02}", code.to_digit(DigitMode::AllowLeadingZero));
        assert_eq!(digits, file.text("digits"));
    }
}
