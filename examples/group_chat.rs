//! Alice, Bob and Carol chat in an encrypted room, over a network that loses and reorders messages.
//!
//! It shows how to publish and verify keys, make Olm sessions, share the room key over them,
//! encrypt once for everybody, save all state and continue from it, and let somebody who joins late
//! read from an agreed point on. This example saves only at a restart. A client must save what has
//! changed before it sends a message, as `matrix_chat` does, so that no message key is used twice.
//!
//! `cargo run --example group_chat`

use std::{collections::BTreeMap, error::Error, time::SystemTime};

use moceril::{
    Curve25519PublicKey, PickleKey, SecretString,
    megolm::{
        ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, ReplayGuard,
        ReplayVerdict, SessionKey,
    },
    olm::{Account, IdentityKeys, OlmMessage, PreKeyBundle, Session, SignedOneTimeKey},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The server's data: it passes messages on and can read none of them.
#[derive(Default)]
struct Server {
    devices: BTreeMap<&'static str, (IdentityKeys, Vec<SignedOneTimeKey>)>,
}

impl Server {
    /// Gives out a one-time key, and never the same one again.
    fn claim(&mut self, owner: &str) -> Result<(IdentityKeys, SignedOneTimeKey)> {
        let (identity_keys, one_time_keys) = self.devices.get_mut(owner).ok_or("no such device")?;
        Ok((*identity_keys, one_time_keys.pop().ok_or("no one-time key left")?))
    }
}

/// A device: its account, its Olm sessions, its own room session, and those of the others.
struct Device {
    name: &'static str,
    account: Account,
    sessions: BTreeMap<&'static str, Session>,
    room: GroupSession,
    others: BTreeMap<&'static str, (InboundGroupSession, ReplayGuard)>,
}

impl Device {
    fn new(name: &'static str, server: &mut Server) -> Result<Self> {
        let mut account = Account::new()?;
        account.generate_one_time_keys(5)?;
        let signed = account.signed_one_time_keys();
        server
            .devices
            .insert(name, (account.identity_keys(), signed.iter().map(|(_, key)| *key).collect()));
        account.mark_as_published(signed.iter().map(|(id, _)| *id));
        say(
            name,
            &format!(
                "publishes {} one-time keys; fingerprint {}",
                signed.len(),
                account.ed25519_key()
            ),
        );
        Ok(Self {
            name,
            account,
            sessions: BTreeMap::new(),
            room: GroupSession::new(SystemTime::UNIX_EPOCH.elapsed()?)?,
            others: BTreeMap::new(),
        })
    }

    /// Encrypts for one other device, making a session with it if there is none.
    fn encrypt_to(
        &mut self,
        name: &'static str,
        text: &str,
        server: &mut Server,
    ) -> Result<OlmMessage> {
        if !self.sessions.contains_key(name) {
            let (identity_keys, one_time_key) = server.claim(name)?;
            let bundle = PreKeyBundle::verify(identity_keys, &one_time_key)?;
            self.sessions.insert(name, self.account.create_outbound_session(&bundle)?);
        }
        let session = self.sessions.get_mut(name).ok_or("no session")?;
        Ok(session.encrypt(text.as_bytes())?)
    }

    /// Decrypts what one other device sent, making a session from it if it begins one.
    ///
    /// Here two people never begin a session with each other at the same time. With clients that
    /// happens, so a client keeps several sessions with each device and tries them in turn, as
    /// `matrix_chat` does.
    fn decrypt_from(
        &mut self,
        name: &'static str,
        identity_key: Curve25519PublicKey,
        message: &OlmMessage,
    ) -> Result<String> {
        let plaintext = match (self.sessions.get_mut(name), message.as_pre_key()) {
            (Some(session), _) => session.decrypt(message)?.into_plaintext(),
            (None, Some(pre_key)) => {
                let inbound = self.account.create_inbound_session(identity_key, pre_key)?;
                self.sessions.insert(name, inbound.session);
                inbound.message.into_plaintext()
            }
            (None, None) => return Err("no session for this message".into()),
        };
        Ok(String::from_utf8(plaintext)?)
    }

    fn read(
        &mut self,
        sender: &'static str,
        event_id: &str,
        event: &MegolmMessage,
    ) -> Result<String> {
        let (session, guard) = self.others.get_mut(sender).ok_or("no session with this sender")?;
        let decrypted = session.decrypt(event)?;
        if guard.check(&decrypted, event_id)? == ReplayVerdict::Unknown {
            say(self.name, "warning: the next message may be a repetition of an earlier one");
        }
        Ok(String::from_utf8(decrypted.into_plaintext())?)
    }

    fn show(&mut self, sender: &'static str, event_id: &str, event: &MegolmMessage) {
        let index = event.message_index();
        match self.read(sender, event_id, event) {
            Ok(text) => say(self.name, &format!("reads {sender}'s #{index}: {text}")),
            Err(error) => say(self.name, &format!("refuses {sender}'s #{index}: {error}")),
        }
    }

    /// Saves everything, forgets it, and restores it, as when a program is closed and started
    /// again.
    fn restart(&mut self) -> Result<()> {
        // A real client keeps this key in the operating system's keyring.
        let key = PickleKey::from_bytes([42; 32]);
        // Each object has its own context, so that none can be put in the place of another.
        let device = self.name;
        let context = |object: &str| format!("{device}/{object}");
        let mut size = 0;
        let mut saved = |pickle: String| {
            size += pickle.len();
            pickle
        };
        let name = context("account");
        let pickle = saved(self.account.pickle(&key, &name)?);
        self.account = Account::from_pickle(&pickle, &key, &name)?;
        let name = context("room");
        let pickle = saved(self.room.pickle(&key, &name)?);
        self.room = GroupSession::from_pickle(&pickle, &key, &name)?;
        for (peer, session) in &mut self.sessions {
            let name = context(&format!("olm/{peer}"));
            let pickle = saved(session.pickle(&key, &name)?);
            *session = Session::from_pickle(&pickle, &key, &name)?;
        }
        for (peer, (session, guard)) in &mut self.others {
            let name = context(&format!("inbound/{peer}"));
            let pickle = saved(session.pickle(&key, &name)?);
            *session = InboundGroupSession::from_pickle(&pickle, &key, &name)?;
            let name = context(&format!("guard/{peer}"));
            let pickle = saved(guard.pickle(&key, &name)?);
            *guard = ReplayGuard::from_pickle(&pickle, &key, &name, session)?;
        }
        say(self.name, &format!("restarts from {size} characters of pickles"));
        Ok(())
    }
}

fn say(who: &str, what: &str) {
    println!("{who:>6} | {what}");
}

/// Sends the sender's room key to the receiver, over Olm. (In Matrix the text is a JSON object that
/// also says who sends it to whom, so that nobody can pass it off as meant for somebody else.)
fn share_room_key(sender: &mut Device, receiver: &mut Device, server: &mut Server) -> Result<()> {
    let key: SecretString = sender.room.session_key().to_base64();
    let message = sender.encrypt_to(receiver.name, &key, server)?;
    // … over the network, as type and body …
    let (message_type, body) = message.to_parts();
    let message = OlmMessage::from_parts(message_type, &body)?;
    let identity_key = sender.account.curve25519_key();
    let key = receiver.decrypt_from(sender.name, identity_key, &message)?;
    let session = InboundGroupSession::new(&SessionKey::from_base64(&key)?);
    say(
        receiver.name,
        &format!(
            "has {}'s room key, from message #{} on",
            sender.name,
            session.first_known_index()
        ),
    );
    let guard = ReplayGuard::new(&session);
    receiver.others.insert(sender.name, (session, guard));
    Ok(())
}

fn main() -> Result<()> {
    let mut server = Server::default();
    let mut alice = Device::new("Alice", &mut server)?;
    let mut bob = Device::new("Bob", &mut server)?;

    println!("\n-- Alice and Bob exchange their room keys over Olm\n");
    share_room_key(&mut alice, &mut bob, &mut server)?;
    share_room_key(&mut bob, &mut alice, &mut server)?;

    println!("\n-- The network reorders; one message is lost and comes much later\n");
    let texts = ["Shall we meet?", "At the karst cave.", "Bring a lamp!", "And no umbrella."];
    let events = texts.map(|text| alice.room.encrypt(text.as_bytes()));
    let [first, second, third, fourth] = events;
    let (first, second, third, fourth) = (first?, second?, third?, fourth?);
    for (event_id, event) in [("$3", &third), ("$1", &first), ("$4", &fourth)] {
        bob.show("Alice", event_id, event);
    }
    let reply = bob.room.encrypt(b"A lamp, of course. Who is it for?")?;
    alice.show("Bob", "$5", &reply);

    println!(
        "\n-- Everybody restarts; the lost message arrives, and somebody replays an old one\n"
    );
    alice.restart()?;
    bob.restart()?;
    bob.show("Alice", "$2", &second);
    bob.show("Alice", "$6", &first);

    println!("\n-- Carol joins. Alice lets her read from message #2 on, and everything to come\n");
    let mut carol = Device::new("Carol", &mut server)?;
    share_room_key(&mut carol, &mut alice, &mut server)?;
    share_room_key(&mut carol, &mut bob, &mut server)?;
    share_room_key(&mut bob, &mut carol, &mut server)?;
    // Bob has the history, so he can export it from any point; he sends the export over Olm.
    let (history, _) = bob.others.get("Alice").ok_or("Bob has Alice's session")?;
    let export = history.export_at(2)?.to_base64();
    let message = bob.encrypt_to("Carol", &export, &mut server)?;
    let export = carol.decrypt_from("Bob", bob.account.curve25519_key(), &message)?;
    let session = InboundGroupSession::import(&ExportedSessionKey::from_base64(&export)?);
    say(
        "Carol",
        &format!(
            "imports Alice's session: {:?}, from #{} on",
            session.provenance(),
            session.first_known_index()
        ),
    );
    let guard = ReplayGuard::new(&session);
    carol.others.insert("Alice", (session, guard));
    for (event_id, event) in [("$1", &first), ("$2", &second), ("$3", &third), ("$4", &fourth)] {
        carol.show("Alice", event_id, event);
    }

    println!("\n-- One message for all\n");
    let event = carol.room.encrypt("For the močeril, the human fish of the caves.".as_bytes())?;
    alice.show("Carol", "$7", &event);
    bob.show("Carol", "$7", &event);
    carol.restart()?;
    Ok(())
}
