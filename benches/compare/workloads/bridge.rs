//! A bridge: so many live Olm sessions that they are stored as pickles, and each message takes its
//! session from the store and puts it back.
//!
//! All libraries have the same sessions, through libolm's pickles, and get the same messages.

use std::{cell::RefCell, rc::Rc};

use ::vodozemac::{base64_decode, olm as vodozemac_olm};
use moceril::olm::{OlmMessage, Session};
use olm_rs::session::{OlmMessage as LibolmMessage, OlmSession};

use super::grouped;
use crate::{
    contender::{Contender, Who, prepared},
    ends::{
        PICKLE_KEY, libolm,
        ours::{self, CONTEXT, pickle_key},
    },
    lower_bound::TEXT,
    measure::Row,
};

pub fn row(conversations: usize) -> Row {
    let sessions = grouped(conversations);
    let name = format!("a bridge: unpickle, decrypt, pickle for each of {sessions} sessions");
    Row::new(name, 1, move || {
        let (world, receivers) = World::new(conversations);
        let world = Rc::new(RefCell::new(world));
        vec![
            (Who::Ours, our_bridge(&world, &receivers)),
            (Who::Vodozemac, vodozemac_bridge(&world, &receivers)),
            (Who::Libolm, libolm_bridge(&world, &receivers)),
        ]
    })
}

/// A message for each session: its type and body.
type Messages = Rc<[(usize, String)]>;

/// The other ends of all sessions, and what they have sent.
struct World {
    senders: Vec<Session>,
    sent: Vec<Messages>,
}

impl World {
    /// The world and the receivers, all of them old sessions.
    fn new(conversations: usize) -> (Self, Vec<Session>) {
        let (senders, receivers) = (0..conversations).map(|_| ours::old_conversation()).unzip();
        (Self { senders, sent: Vec::new() }, receivers)
    }

    /// The messages of a turn, the same for everybody who asks.
    fn turn(&mut self, turn: usize) -> Messages {
        while self.sent.len() <= turn {
            let send = |session: &mut Session| session.encrypt(TEXT).unwrap().to_parts();
            self.sent.push(self.senders.iter_mut().map(send).collect());
        }
        self.sent[turn].clone()
    }
}

/// One message for every session, whose pickles are in `store`.
fn bridge(
    world: &Rc<RefCell<World>>,
    mut store: Vec<String>,
    receive: impl Fn(&str, usize, &str) -> String + 'static,
) -> Box<dyn Contender> {
    let (world, mut turn) = (world.clone(), 0);
    prepared(
        move || {
            turn += 1;
            world.borrow_mut().turn(turn - 1)
        },
        move |messages| {
            for (pickle, (message_type, body)) in store.iter_mut().zip(messages.iter()) {
                *pickle = receive(pickle, *message_type, body);
            }
        },
    )
}

fn our_bridge(world: &Rc<RefCell<World>>, receivers: &[Session]) -> Box<dyn Contender> {
    let key = pickle_key();
    let store = receivers.iter().map(|session| session.pickle(&key, CONTEXT).unwrap()).collect();
    bridge(world, store, move |pickle, message_type, body| {
        let mut session = Session::from_pickle(pickle, &key, CONTEXT).unwrap();
        let message = OlmMessage::from_parts(message_type, body).unwrap();
        assert_eq!(session.decrypt(&message).unwrap().plaintext(), TEXT);
        session.pickle(&key, CONTEXT).unwrap()
    })
}

fn vodozemac_bridge(world: &Rc<RefCell<World>>, receivers: &[Session]) -> Box<dyn Contender> {
    let moved = |session: &Session| {
        let pickle = session.to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0;
        let session = vodozemac_olm::Session::from_libolm_pickle(&pickle, PICKLE_KEY).unwrap();
        session.pickle().encrypt(PICKLE_KEY)
    };
    bridge(world, receivers.iter().map(moved).collect(), |pickle, message_type, body| {
        let pickle = vodozemac_olm::SessionPickle::from_encrypted(pickle, PICKLE_KEY).unwrap();
        let mut session = vodozemac_olm::Session::from_pickle(pickle);
        let bytes = base64_decode(body).unwrap();
        let message = vodozemac_olm::OlmMessage::from_parts(message_type, &bytes).unwrap();
        assert_eq!(session.decrypt(&message).unwrap(), TEXT);
        session.pickle().encrypt(PICKLE_KEY)
    })
}

fn libolm_bridge(world: &Rc<RefCell<World>>, receivers: &[Session]) -> Box<dyn Contender> {
    let moved = |session: &Session| session.to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0;
    bridge(world, receivers.iter().map(moved).collect(), |pickle, message_type, body| {
        let session = OlmSession::unpickle(pickle.to_owned(), libolm::pickling()).unwrap();
        let message =
            LibolmMessage::from_type_and_ciphertext(message_type, body.to_owned()).unwrap();
        assert_eq!(session.decrypt(message).unwrap().as_bytes(), TEXT);
        session.pickle(libolm::pickling())
    })
}
