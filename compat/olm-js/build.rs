//! The memory of the module. Its stack is small, because all of it is wiped after each call, and
//! its place is exported for that. Calls use less than half of it (`tests/memory.mjs`).

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A build for this machine, as the checks of the workspace make, has another linker.
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-cdylib-link-arg=-zstack-size=32768");
        println!("cargo::rustc-cdylib-link-arg=--export=__stack_pointer");
        // As in the original, so that no address is negative in JavaScript.
        println!("cargo::rustc-cdylib-link-arg=--max-memory=2147483648");
    }
}
