//! Our libolm beside the real one, both through the C interface, and beside our own Rust library,
//! which shows what it costs that the C library keeps its objects as bytes in the caller's memory.

#![deny(unsafe_code)]

mod c;
#[expect(unsafe_code, reason = "loads a library and calls its functions")]
mod library;
mod object;
mod rust;

use benches::side_by_side::{
    Effort, play,
    run::{self, Run},
    statistics::Spread,
};
use library::Libolm;

/// A short Matrix event.
pub const TEXT: &[u8] = &[b'x'; 200];

const ONE_TIME_KEYS: usize = 50;
const STORED_KEYS: usize = 100;
const HISTORY: usize = 1_000;

/// A row: its name, how many of the operation one run does, and the three contenders.
type Row = (&'static str, usize, fn(&'static Libolm) -> Run, fn() -> Run);

const ROWS: [Row; 18] = [
    ("account, new", 1, c::new_account, rust::new_account),
    (
        "one-time key, each",
        ONE_TIME_KEYS,
        |library| c::one_time_keys(library, ONE_TIME_KEYS),
        || rust::one_time_keys(ONE_TIME_KEYS),
    ),
    ("outbound Olm session + first message", 1, c::outbound, rust::outbound),
    ("inbound Olm session from pre-key message", 1, c::inbound, rust::inbound),
    ("Olm encrypt, established chain", 1, c::encrypt, rust::encrypt),
    ("Olm encrypt + decrypt in order", 1, c::encrypt_and_decrypt, rust::encrypt_and_decrypt),
    ("Olm ping-pong, two messages, DH ratchet each", 1, c::ping_pong, rust::ping_pong),
    ("Megolm encrypt", 1, c::group_encrypt, rust::group_encrypt),
    ("Megolm decrypt in order", 1, c::group_decrypt, rust::group_decrypt),
    (
        "Megolm decrypt of 1,000 events newest first, each",
        HISTORY,
        |library| c::newest_first(library, HISTORY),
        || rust::newest_first(HISTORY),
    ),
    ("session key: parse, verify, new inbound", 1, c::session_key, rust::session_key),
    ("exported key: parse, import", 1, c::exported_key, rust::exported_key),
    (
        "account with 100 one-time keys, pickle",
        1,
        |library| c::pickle_account(library, STORED_KEYS),
        || rust::pickle_account(STORED_KEYS),
    ),
    (
        "account with 100 one-time keys, unpickle",
        1,
        |library| c::unpickle_account(library, STORED_KEYS),
        || rust::unpickle_account(STORED_KEYS),
    ),
    ("Olm session pickle", 1, c::pickle_session, rust::pickle_session),
    ("Olm session unpickle", 1, c::unpickle_session, rust::unpickle_session),
    ("inbound group session pickle", 1, c::pickle_receiver, rust::pickle_receiver),
    ("inbound group session unpickle", 1, c::unpickle_receiver, rust::unpickle_receiver),
];

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let effort = if quick { Effort::QUICK } else { Effort::WHOLE };
    let path = |name: &str| std::env::var(name).expect("`run` names the libraries");
    let (ours, real) = (Libolm::open(&path("OLM_OURS")), Libolm::open(&path("OLM_REAL")));

    let [major, minor, patch] = object::version(real);
    println!(
        "Medians in microseconds; each ratio is the median of the rounds' ratios, and has their \
         quartiles\nbeside it. libolm is {major}.{minor}.{patch}.\n"
    );
    println!(
        "| operation | ours, C | libolm | ours, Rust | libolm / ours, C | quartiles | ours, C / ours, Rust |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (name, elements, through_c, without_c) in ROWS {
        let mut rounds = Vec::new();
        for _ in 0..effort.passes {
            rounds.extend(play(&mut [through_c(ours), through_c(real), without_c()], effort));
        }
        let spread =
            |of: &dyn Fn(&[f64]) -> f64| Spread::of(rounds.iter().map(|times| of(times)).collect());
        let time = |who: usize| {
            spread(&|times| times[who]).map(|time| time / 1e3 / elements as f64).median
        };
        let ratio = |one: usize, other: usize| spread(&|times| times[one] / times[other]);
        let gain = ratio(1, 0);
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} | **{:.2}** | {:.2}–{:.2} | {:.2} |",
            time(0),
            time(1),
            time(2),
            gain.median,
            gain.low,
            gain.high,
            ratio(0, 2).median
        );
    }
}
