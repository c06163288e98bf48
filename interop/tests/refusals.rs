//! Refusals: altered variants of valid messages and keys are given to fresh copies of both ends.
//!
//! S-06, S-07: our library refuses what a peer refuses, and the peer accepts what our library
//! accepts, with the same plaintext. Where our library is stricter, [`STRICTER`] has the reason.

use std::collections::{BTreeMap, BTreeSet};

use interop::{
    LIBOLM, Library, Pair, SeededRng, VODOZEMAC, VODOZEMAC_V4, chosen_seed, for_each_seed,
    forge::{Kind, Sender, Variant},
    mutation::mutate_text,
    refusals::{Offer, Receivers, Requirement, STRICTER, WIDER, is_excluded, reasons},
};
use vodozemac::{base64_decode, base64_encode};

/// For each pair: senders, and variants of each kind for each sender.
const SENDERS: u64 = 60;
const VARIANTS: usize = 70;

/// Those that make a difference to both peers.
const COMMON: [&str; 7] =
    ["S-01 canonical", "S-01 order", "S-07", "S-09", "S-14 canonical", "S-14 order", "S-30"];

#[test]
fn libolm_and_we_refuse_alike() {
    compare(LIBOLM, &["S-13", "S-14 S", "S-14 point", "S-28"], &["S-30"]);
}

#[test]
fn vodozemac_and_we_refuse_alike() {
    compare(VODOZEMAC, &["S-06"], &["S-06", "S-30"]);
}

#[test]
fn vodozemac_and_we_refuse_alike_in_version_4() {
    compare(VODOZEMAC_V4, &["S-06"], &["S-06", "S-30"]);
}

/// `stricter`, besides [`COMMON`], and `wider` are the requirements that make a difference to this
/// peer: exactly those, because one that makes none any more is one that we have stopped to check.
fn compare(pair: Pair, stricter: &[&str], wider: &[&str]) {
    let mut tally = Tally::default();
    for_each_seed(SENDERS, |seed, rng| {
        let sender = Sender::random(rng, pair.version);
        let ours = Receivers::of(Library::Ours, &sender, rng);
        let theirs = Receivers::of(pair.theirs, &sender, rng);
        for kind in Kind::ALL {
            let (genuine, plaintext) = sender.genuine(rng, kind);
            let text = base64_encode(&genuine);
            let verdicts = [&ours, &theirs].map(|end| end.verdict(kind, &text).unwrap());
            assert_eq!(verdicts[0], verdicts[1], "seed {seed}, {kind:?}");
            let is_message = !matches!(kind, Kind::SessionKey | Kind::ExportedSessionKey);
            assert!(!is_message || verdicts[0] == plaintext, "seed {seed}, {kind:?}");
            for number in 0..VARIANTS {
                let mut variant = sender.variant(rng, kind);
                let text = offered_text(rng, &mut variant);
                let offer = Offer { sender: &sender, variant: &variant, text: &text };
                if is_excluded(pair.theirs, &offer) {
                    continue;
                }
                let context = format!("seed {seed}, {kind:?}, variant {number}, {text}");
                let (ours, theirs) = (ours.verdict(kind, &text), theirs.verdict(kind, &text));
                tally.add(&offer, ours, theirs, &context);
            }
        }
    });
    tally.check(stricter, wider);
}

/// The text of the variant, now and then mutated as well; then the variant becomes what that text
/// says.
fn offered_text(rng: &mut SeededRng, variant: &mut Variant) -> String {
    let text = base64_encode(&variant.bytes);
    if rng.below(15) > 0 {
        return text;
    }
    let mutated = mutate_text(rng, &text);
    if let Ok(bytes) = base64_decode(&mutated)
        && bytes != variant.bytes
    {
        *variant = Variant { bytes, sealed: false, ..*variant };
    }
    mutated
}

/// How often what happened.
#[derive(Default)]
struct Tally {
    offers: usize,
    accepted: BTreeMap<String, usize>,
    refused: BTreeMap<String, usize>,
    /// Requirements that made a difference all by themselves.
    stricter: BTreeSet<&'static str>,
    wider: BTreeSet<&'static str>,
}

impl Tally {
    fn add(&mut self, offer: &Offer, ours: Option<String>, theirs: Option<String>, context: &str) {
        self.offers += 1;
        let kind = format!("{:?}", offer.variant.kind);
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => {
                assert_eq!(ours, theirs, "{context}");
                *self.accepted.entry(kind).or_default() += 1;
            }
            (None, None) => *self.refused.entry(kind).or_default() += 1,
            (None, Some(_)) => {
                self.stricter.extend(only_reason(STRICTER, offer, context));
            }
            (Some(_), None) => {
                self.wider.extend(only_reason(WIDER, offer, context));
            }
        }
    }

    fn check(&self, stricter: &[&str], wider: &[&str]) {
        // One sender need not show everything.
        if chosen_seed().is_some() {
            return;
        }
        assert!(self.offers >= 20_000, "only {} offers", self.offers);
        for count in [&self.accepted, &self.refused] {
            assert_eq!(count.len(), Kind::ALL.len(), "both outcomes for each kind: {count:?}");
        }
        assert_eq!(self.stricter, stricter.iter().chain(&COMMON).copied().collect());
        assert_eq!(self.wider, wider.iter().copied().collect());
    }
}

/// Names the requirement of the list that the offer violates, if it is one alone. There must be
/// one.
fn only_reason(list: &[Requirement], offer: &Offer, context: &str) -> Option<&'static str> {
    let mut reasons = reasons(list, offer);
    let first = reasons.next();
    assert!(first.is_some(), "the two disagree for no reason: {context}");
    first.filter(|_| reasons.next().is_none())
}
