//! Everything between two steps, as lines of text: the number of the step, the six objects, the
//! type and the base64 of both Olm messages, and the group message.

use std::error::Error;

use moceril::{
    PickleKey,
    megolm::{GroupSession, InboundGroupSession, MegolmMessage},
    olm::{Account, Session},
    vodozemac::{AccountPickle, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle},
};

use super::{OlmMessage, rng::Counter};

const KEY: [u8; 32] = [7; 32];
const CONTEXT: &str = "platforms";

/// The objects of the two devices, and what is on the way between them.
pub struct State {
    pub step: usize,
    pub alice: Account,
    pub bob: Account,
    pub to_bob: Session,
    pub to_alice: Session,
    pub room: GroupSession,
    pub theirs: InboundGroupSession,
    /// Alice's and Bob's last.
    pub messages: [OlmMessage; 2],
    pub event: MegolmMessage,
}

/// An object in each format of stored objects. The step chooses one.
trait Stored: Sized {
    fn write(&self, step: usize, rng: &mut Counter) -> Result<String, Box<dyn Error>>;
    fn read(step: usize, text: &str) -> Result<Self, Box<dyn Error>>;
}

macro_rules! stored {
    ($($object:ident $vodozemac:ident),+) => {$(
        impl Stored for $object {
            fn write(&self, step: usize, rng: &mut Counter) -> Result<String, Box<dyn Error>> {
                Ok(match step % 3 {
                    0 => self.pickle_with_rng(&PickleKey::from_bytes(KEY), CONTEXT, rng)?,
                    1 => self.to_libolm_pickle_lossy(KEY)?.0,
                    _ => self.to_vodozemac_pickle_lossy()?.0.encrypt(&KEY)?,
                })
            }

            fn read(step: usize, text: &str) -> Result<Self, Box<dyn Error>> {
                Ok(match step % 3 {
                    0 => Self::from_pickle(text, &PickleKey::from_bytes(KEY), CONTEXT)?,
                    1 => Self::from_libolm_pickle(text, KEY)?,
                    _ => Self::from_vodozemac_pickle($vodozemac::from_encrypted(text, &KEY)?)?,
                })
            }
        }
    )+};
}

stored!(
    Account AccountPickle,
    Session SessionPickle,
    GroupSession GroupSessionPickle,
    InboundGroupSession InboundGroupSessionPickle
);

impl State {
    pub fn parse(text: &str) -> Result<Self, Box<dyn Error>> {
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or("a line is missing");
        let step = line()?.parse()?;
        Ok(Self {
            step,
            alice: Stored::read(step, line()?)?,
            bob: Stored::read(step, line()?)?,
            to_bob: Stored::read(step, line()?)?,
            to_alice: Stored::read(step, line()?)?,
            room: Stored::read(step, line()?)?,
            theirs: Stored::read(step, line()?)?,
            messages: [parse_message(line()?)?, parse_message(line()?)?],
            event: line()?.parse()?,
        })
    }

    pub fn write(&self) -> Result<String, Box<dyn Error>> {
        let rng = &mut Counter::new(!(self.step as u64));
        let lines = [
            self.step.to_string(),
            self.alice.write(self.step, rng)?,
            self.bob.write(self.step, rng)?,
            self.to_bob.write(self.step, rng)?,
            self.to_alice.write(self.step, rng)?,
            self.room.write(self.step, rng)?,
            self.theirs.write(self.step, rng)?,
            write_message(&self.messages[0]),
            write_message(&self.messages[1]),
            self.event.to_base64(),
        ];
        Ok(lines.join("\n"))
    }
}

fn write_message(message: &OlmMessage) -> String {
    let (message_type, body) = message.to_parts();
    format!("{message_type} {body}")
}

fn parse_message(line: &str) -> Result<OlmMessage, Box<dyn Error>> {
    let (message_type, body) = line.split_once(' ').ok_or("a message without a type")?;
    Ok(OlmMessage::from_parts(message_type.parse()?, body)?)
}
