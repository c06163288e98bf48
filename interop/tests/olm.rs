//! Randomized Olm conversations of our library with each of the others, in both roles.
//!
//! S-22, S-39: whatever messages are lost, late or repeated, and whatever sessions are restored
//! from a pickle in between, every message within the limits that all libraries have in common
//! decrypts exactly once, to the plaintext that was sent.

use interop::{
    LIBOLM, Library, MessageVersion, Pair, SeededRng, VODOZEMAC, VODOZEMAC_V4, chosen_seed,
    for_each_seed,
    peer::{OlmPeer, Wire},
    random_length, random_text,
    traffic::{Arrival, Direction, Sent},
};

/// For each pair and each role of ours.
const CONVERSATIONS: u64 = 600;
const STEPS: usize = 45;

#[test]
fn we_initiate_sessions_with_vodozemac() {
    conversations(VODOZEMAC, [Library::Ours, Library::Vodozemac]);
}

#[test]
fn vodozemac_initiates_sessions_with_us() {
    conversations(VODOZEMAC, [Library::Vodozemac, Library::Ours]);
}

#[test]
fn we_initiate_version_4_sessions_with_vodozemac() {
    conversations(VODOZEMAC_V4, [Library::Ours, Library::Vodozemac]);
}

#[test]
fn vodozemac_initiates_version_4_sessions_with_us() {
    conversations(VODOZEMAC_V4, [Library::Vodozemac, Library::Ours]);
}

#[test]
fn we_initiate_sessions_with_libolm() {
    conversations(LIBOLM, [Library::Ours, Library::Libolm]);
}

#[test]
fn libolm_initiates_sessions_with_us() {
    conversations(LIBOLM, [Library::Libolm, Library::Ours]);
}

/// The initiator is the first of the two.
fn conversations(pair: Pair, libraries: [Library; 2]) {
    let mut seen = Seen::default();
    for_each_seed(CONVERSATIONS, |seed, rng| {
        let mut conversation = Conversation::begin(seed, rng, pair.version, libraries);
        for _ in 0..STEPS {
            conversation.step(rng);
        }
        conversation.agree(rng);
        seen.add(&conversation);
    });
    seen.assert_everything_happened();
}

/// The two parties of a conversation: the initiator is 0, the responder is 1.
struct Conversation {
    seed: u64,
    parties: [Box<dyn OlmPeer>; 2],
    /// The responder has no session before the first message arrives.
    established: bool,
    /// `directions[party]` is what that party sends.
    directions: [Direction; 2],
    restored: usize,
}

impl Conversation {
    fn begin(
        seed: u64,
        rng: &mut SeededRng,
        version: MessageVersion,
        libraries: [Library; 2],
    ) -> Self {
        let mut parties = libraries.map(|library| library.device(version));
        let [initiator, responder] = &mut parties;
        // Keys that are not used must not matter.
        for _ in 0..rng.below(3) {
            responder.publish(rng.below(2) == 0);
        }
        let key = responder.publish(rng.below(3) == 0);
        if rng.below(3) == 0 {
            // Also a fallback key that has been replaced since.
            responder.publish(true);
        }
        initiator.start(&key);
        Self { seed, parties, established: false, directions: Default::default(), restored: 0 }
    }

    fn step(&mut self, rng: &mut SeededRng) {
        let party = rng.below(2);
        match rng.below(100) {
            0..30 => self.send(party, rng),
            30 => (0..rng.below(60)).for_each(|_| self.send(party, rng)),
            31..65 => self.deliver_any(party, rng),
            // A quick exchange, while others are still under way: the chains follow each other.
            65..75 => [0, 1, 0, 1].into_iter().for_each(|party| self.send_and_deliver(party, rng)),
            75..80 => self.directions[party].lose_any(rng),
            80..90 => self.deliver_again(party, rng),
            _ => {
                self.parties[party] = self.parties[party].fresh();
                self.restored += 1;
            }
        }
    }

    fn send_and_deliver(&mut self, sender: usize, rng: &mut SeededRng) {
        self.send(sender, rng);
        let (sent, arrival) = self.directions[sender].take_newest().expect("it was just sent");
        self.deliver(sender, sent, arrival);
    }

    fn send(&mut self, party: usize, rng: &mut SeededRng) {
        if party == 1 && !self.established {
            return;
        }
        let length = random_length(rng);
        let plaintext = random_text(rng, length);
        let message = self.parties[party].encrypt(&plaintext);
        // Pre-key messages, until the initiator has had an answer.
        let answered = party == 1 || self.directions[1].has_arrived();
        assert_eq!(message.message_type, usize::from(answered), "seed {}", self.seed);
        self.directions[party].send(message, plaintext);
    }

    fn deliver_any(&mut self, sender: usize, rng: &mut SeededRng) {
        if let Some((sent, arrival)) = self.directions[sender].take_any(rng) {
            self.deliver(sender, sent, arrival);
        }
    }

    fn deliver(&mut self, sender: usize, sent: Sent, arrival: Arrival) {
        let receiver = 1 - sender;
        let decrypted = if self.established {
            let peer = &mut self.parties[receiver];
            let pre_key = sent.message.message_type == 0;
            assert!(!pre_key || peer.matches(&sent.message), "seed {}: {sent:?}", self.seed);
            peer.decrypt(&sent.message)
        } else {
            self.accept(&sent.message)
        };
        let context = format!("seed {}, from {sender}: {sent:?}", self.seed);
        assert_eq!(decrypted.as_ref(), Ok(&sent.plaintext), "{context}");
        self.directions[sender].arrived(sent, arrival);
        if arrival == Arrival::NewChain {
            self.directions[receiver].begin_chain_with_next_message();
        }
    }

    fn accept(&mut self, message: &Wire) -> Result<String, String> {
        let identity_key = self.parties[0].identity_key();
        let plaintext = self.parties[1].accept(&identity_key, message)?;
        self.established = true;
        self.assert_one_session();
        Ok(plaintext)
    }

    /// S-22: a message decrypts once.
    fn deliver_again(&mut self, sender: usize, rng: &mut SeededRng) {
        if let Some(sent) = self.directions[sender].any_that_arrived(rng) {
            let again = self.parties[1 - sender].decrypt(&sent.message);
            assert!(again.is_err(), "seed {}, decrypted twice: {sent:?}", self.seed);
        }
    }

    /// Everything that is still under way arrives, and then one more message each way.
    fn agree(&mut self, rng: &mut SeededRng) {
        if !self.established {
            self.send(0, rng);
        }
        for sender in [0, 1] {
            while let Some((sent, arrival)) = self.directions[sender].take_any(rng) {
                self.deliver(sender, sent, arrival);
            }
        }
        for sender in [1, 0, 1, 0] {
            self.parties[sender] = self.parties[sender].fresh();
            self.send_and_deliver(sender, rng);
        }
        self.assert_one_session();
    }

    fn assert_one_session(&self) {
        let ids = self.parties.each_ref().map(|party| party.session_id());
        assert_eq!(ids[0], ids[1], "seed {}", self.seed);
    }
}

/// What happened in all conversations, because a test whose conversations are all dull shows
/// nothing.
#[derive(Default)]
struct Seen {
    conversations: usize,
    late: usize,
    from_oldest_chain: usize,
    evicted: usize,
    turns: usize,
    restored: usize,
    long_openings: usize,
}

impl Seen {
    fn add(&mut self, conversation: &Conversation) {
        let [initiators, responders] = &conversation.directions;
        self.conversations += 1;
        self.late += initiators.late + responders.late;
        self.from_oldest_chain += initiators.from_oldest_chain + responders.from_oldest_chain;
        self.evicted += initiators.evicted + responders.evicted;
        self.turns += initiators.chains() + responders.chains();
        self.restored += conversation.restored;
        self.long_openings += usize::from(initiators.pre_key_messages() > 3);
    }

    fn assert_everything_happened(&self) {
        // One conversation need not show everything.
        if chosen_seed().is_none() {
            let each = self.conversations;
            assert!(self.late > each, "messages after later ones of their chain: {}", self.late);
            assert!(self.from_oldest_chain > each / 5, "old chains: {}", self.from_oldest_chain);
            assert!(self.evicted > each / 20, "messages beyond a limit: {}", self.evicted);
            assert!(self.turns > 5 * each, "chains: {}", self.turns);
            assert!(self.restored > 4 * each, "pickles: {}", self.restored);
            assert!(self.long_openings > each / 10, "long openings: {}", self.long_openings);
        }
    }
}
