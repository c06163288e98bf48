//! Megolm transcripts.

use std::path::Path;

use vodozemac::megolm::{GroupSession, InboundGroupSession, MegolmMessage, SessionConfig};

use crate::{Lines, Result, bytes, hex, item};

struct Transcript {
    lines: Lines,
    sender: GroupSession,
    receiver: InboundGroupSession,
    sent: Vec<(MegolmMessage, Vec<u8>)>,
}

impl Transcript {
    fn new(config: SessionConfig) -> Result<Self> {
        let sender = GroupSession::new(config);
        let pickle = serde_json::to_value(sender.pickle())?;
        let ratchet = hex(bytes(&pickle["ratchet"]["inner"])?);
        let seed = hex(bytes(&pickle["signing_key"]["Normal"])?);
        let mut lines = Lines::default();
        lines.key("version", if config == SessionConfig::version_1() { 3 } else { 4 });
        lines.key("group-random", ratchet + &seed);
        lines.key("session-id", sender.session_id());
        lines.key("session-key", sender.session_key().to_base64());
        let receiver = InboundGroupSession::new(&sender.session_key(), config);
        Ok(Self { lines, sender, receiver, sent: Vec::new() })
    }

    fn send(&mut self, plaintext: &[u8]) -> usize {
        let message = self.sender.encrypt(plaintext);
        self.lines.step(format!("send {} {}", item(plaintext), message.to_base64()));
        self.sent.push((message, plaintext.to_vec()));
        self.sent.len() - 1
    }

    fn receive(&mut self, number: usize) -> Result<()> {
        let (message, plaintext) = &self.sent[number];
        assert_eq!(&self.receiver.decrypt(message)?.plaintext, plaintext);
        self.lines.step(format!("receive {number}"));
        Ok(())
    }

    fn advance(&mut self, count: usize) {
        for _ in 0..count {
            self.sender.encrypt(b"");
        }
        self.lines.step(format!("advance {count}"));
    }

    fn export(&mut self, index: u32) -> Result<()> {
        let exported = self.receiver.export_at(index).ok_or("unknown index")?;
        self.lines.step(format!("export {index} {}", exported.to_base64()));
        Ok(())
    }

    fn session_key(&mut self) {
        self.lines.step(format!("session-key {}", self.sender.session_key().to_base64()));
    }
}

fn first_messages(t: &mut Transcript) -> Result<()> {
    for length in [5, 0, 1, 15, 16, 17, 31, 32, 255] {
        let number = t.send(&vec![0x61; length]);
        t.receive(number)?;
    }
    t.session_key();
    Ok(())
}

fn any_order(t: &mut Transcript) -> Result<()> {
    let numbers: Vec<_> = (0..6).map(|n| t.send(&[n])).collect();
    for at in [3, 0, 5, 4, 2, 1] {
        t.receive(numbers[at])?;
    }
    Ok(())
}

fn across_256(t: &mut Transcript) -> Result<()> {
    t.advance(254);
    for n in 0..4 {
        let number = t.send(&[n]);
        t.receive(number)?;
    }
    t.session_key();
    for index in [0, 255, 256, 65536, 1 << 24] {
        t.export(index)?;
    }
    Ok(())
}

pub fn record(folder: &Path) -> Result<()> {
    type Scene = fn(&mut Transcript) -> Result<()>;
    let scenes: [(&str, Scene); 3] = [
        ("first-messages", first_messages),
        ("any-order", any_order),
        ("across-index-256", across_256),
    ];
    for (name, scene) in scenes {
        for (version, config) in [(3, SessionConfig::version_1()), (4, SessionConfig::version_2())]
        {
            let mut t = Transcript::new(config)?;
            scene(&mut t)?;
            t.lines.write(folder, "megolm-transcript", &format!("v{version}-{name}"))?;
        }
    }
    Ok(())
}
