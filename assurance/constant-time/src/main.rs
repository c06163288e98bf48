//! S-26: no branch and no index depends on a secret, in the compiled code.
//!
//! Memcheck follows uninitialized bits through registers and memory, and reports a branch or an
//! address that depends on one. This harness marks secrets as uninitialized. Then each operation of
//! the library runs once, and must cause no report; `README.md` of this crate describes how.

mod memcheck;
mod operations;
mod secrets;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: memcheck::Listed = memcheck::Listed;

/// Runs the operation and returns how many reports it caused. Those stand on stderr, below its
/// name.
fn reports(name: &str, operation: fn()) -> usize {
    eprintln!("== {name}");
    let before = memcheck::errors();
    operation();
    memcheck::errors() - before
}

fn main() -> ExitCode {
    if !memcheck::is_running() {
        eprintln!("this shows something under valgrind only: use `run`");
        return ExitCode::FAILURE;
    }
    print_backends();
    let mut failures = 0;
    for (name, operation) in operations::CONSTANT_TIME {
        let found = reports(name, operation);
        failures += usize::from(found > 0);
        println!("{}  {name}", verdict(found == 0));
    }
    for (name, operation) in operations::EXCEPTED {
        let found = reports(name, operation);
        failures += usize::from(found == 0);
        println!("{}  not constant-time, as SECURITY.md says: {name}", verdict(found > 0));
    }
    for (name, leak) in operations::LEAKS {
        let found = reports(name, leak);
        failures += usize::from(found == 0);
        println!("{}  planted leak is caught: {name}", verdict(found > 0));
    }
    println!("\ndeclared public:");
    for (what, why, uses) in secrets::uses() {
        failures += usize::from(uses == 0);
        println!("{uses:6}  {what:?}: {why}");
    }
    println!("\n{}", if failures == 0 { "PASS" } else { "FAIL" });
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const fn verdict(passed: bool) -> &'static str {
    if passed { "PASS" } else { "FAIL" }
}

/// Which code runs. The libraries choose at run time by what the processor has, unless a `cfg` has
/// chosen before; valgrind's processor has no SHA extensions, so the hashes are always the portable
/// ones.
fn print_backends() {
    let choose = |soft: bool, has: bool| match (soft, has) {
        (false, true) => "the processor's instructions",
        _ => "portable code",
    };
    let (aes, avx2) = (is_x86_feature_detected!("aes"), is_x86_feature_detected!("avx2"));
    let sha = is_x86_feature_detected!("sha");
    println!("AES: {}", choose(cfg!(aes_backend = "soft"), aes));
    println!("SHA-256: {}", choose(cfg!(sha2_backend = "soft"), sha));
    println!("ChaCha20: {}", choose(cfg!(chacha20_backend = "soft"), avx2));
    println!("Poly1305: {}", choose(cfg!(poly1305_backend = "soft"), avx2));
    println!("Curve25519: {}\n", choose(cfg!(curve25519_dalek_backend = "serial"), avx2));
}
