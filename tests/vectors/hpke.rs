//! `test-vectors/hpke/` through the public API. Run with `--features hpke`.

use moceril::hpke::{
    ChannelError, DigitMode, EstablishedHpkeChannel, HpkeRecipientChannel, HpkeSenderChannel,
    InitialMessage, InitialResponse, Message, UnidirectionalRecipientChannel,
    UnidirectionalSenderChannel,
};
use moceril_testing::{
    channel_vectors::check_channels,
    rng::RecordedRng,
    vector_file::{VectorFile, item_bytes},
};

/// S-01, S-04, S-07, S-30, S-33: keys, messages and check codes are those of MSC4388, byte for
/// byte; what is wrong is refused by the layer that the file names, and the channel goes on.
#[test]
fn vectors() {
    check_channels("hpke", InitialMessage::decode, transcript, (6, 17));
}

/// How far a transcript is.
enum Progress {
    Nothing(HpkeRecipientChannel),
    Begun(UnidirectionalSenderChannel, UnidirectionalRecipientChannel),
    /// The sender's end and the recipient's.
    Established(EstablishedHpkeChannel, EstablishedHpkeChannel),
}

fn transcript(file: &VectorFile) {
    let info = String::from_utf8(file.bytes("info")).unwrap();
    let mut rng = RecordedRng::new(file.bytes("recipient-random"));
    let shown = HpkeRecipientChannel::with_rng(&mut rng).unwrap().with_info(&info);
    assert_eq!(rng.left(), 0);
    assert_eq!(shown.public_key().to_base64(), file.text("recipient-key"));
    let mut progress = Progress::Nothing(shown);
    for step in file.steps() {
        progress = match (step.as_slice(), progress) {
            (["sender", "begin", aad, plaintext, text], Progress::Nothing(recipient)) => {
                let (aad, plaintext) = (item_bytes(aad), item_bytes(plaintext));
                let mut rng = RecordedRng::new(file.bytes("sender-random"));
                let sender = HpkeSenderChannel::new()
                    .with_info(&info)
                    .establish_channel_with_rng(recipient.public_key(), &plaintext, &aad, &mut rng)
                    .unwrap();
                assert_eq!(rng.left(), 0);
                assert_eq!(sender.message.encode(), *text);
                assert_eq!(sender.channel.public_key().to_base64(), file.text("sender-key"));
                let message = InitialMessage::decode(text).unwrap();
                let recipient = recipient.establish_channel(&message, &aad).unwrap();
                assert_eq!(recipient.plaintext, plaintext);
                Progress::Begun(sender.channel, recipient.channel)
            }
            (["recipient", "refuse", "mac", aad, text], Progress::Nothing(recipient)) => {
                let message = InitialMessage::decode(text).unwrap();
                let refused = recipient.establish_channel(&message, item_bytes(aad)).unwrap_err();
                assert_eq!(refused.error, ChannelError::Authentication);
                Progress::Nothing(refused.unchanged)
            }
            (["recipient", "answer", aad, plaintext, text], Progress::Begun(sender, recipient)) => {
                let (aad, plaintext) = (item_bytes(aad), item_bytes(plaintext));
                let mut rng = RecordedRng::new(file.bytes("response-nonce"));
                let recipient = recipient
                    .establish_bidirectional_channel_with_rng(&plaintext, &aad, &mut rng)
                    .unwrap();
                assert_eq!(rng.left(), 0);
                assert_eq!(recipient.message.encode(), *text);
                let response = InitialResponse::decode(text).unwrap();
                let sender = sender.establish_bidirectional_channel(&response, &aad).unwrap();
                assert_eq!(sender.plaintext, plaintext);
                Progress::Established(sender.channel, recipient.channel)
            }
            (["sender", "refuse", "mac", aad, text], Progress::Begun(sender, recipient)) => {
                let response = InitialResponse::decode(text).unwrap();
                let refused = sender.establish_bidirectional_channel(&response, item_bytes(aad));
                let refused = refused.unwrap_err();
                assert_eq!(refused.error, ChannelError::Authentication);
                Progress::Begun(refused.unchanged, recipient)
            }
            ([who, rest @ ..], Progress::Established(mut sender, mut recipient)) => {
                let (end, other) = match *who {
                    "sender" => (&mut sender, &mut recipient),
                    "recipient" => (&mut recipient, &mut sender),
                    _ => panic!("nobody is {who:?}"),
                };
                match rest {
                    ["send", aad, plaintext, text] => {
                        let (aad, plaintext) = (item_bytes(aad), item_bytes(plaintext));
                        assert_eq!(end.seal(&plaintext, &aad).unwrap().encode(), *text);
                        let message = Message::decode(text).unwrap();
                        assert_eq!(other.open(&message, &aad).unwrap(), plaintext);
                    }
                    ["refuse", "mac", aad, text] => {
                        let message = Message::decode(text).unwrap();
                        let opened = end.open(&message, item_bytes(aad));
                        assert_eq!(opened, Err(ChannelError::Authentication));
                    }
                    _ => panic!("unknown step: {step:?}"),
                }
                Progress::Established(sender, recipient)
            }
            _ => panic!("unknown step, or not in this place: {step:?}"),
        };
    }
    let Progress::Established(sender, recipient) = progress else { panic!("no channel") };
    for code in [sender.check_code(), recipient.check_code()] {
        assert_eq!(*code.as_bytes(), file.array("check-code"));
        assert_eq!(code.to_digit(DigitMode::NoLeadingZero).to_string(), file.text("digits"));
    }
}
