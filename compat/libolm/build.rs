//! Gives the library the name that compiled programs remember, and look for when they start.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let arguments: &[&str] = match system.as_str() {
        "linux" | "freebsd" | "netbsd" | "openbsd" | "dragonfly" => &["-soname,libolm.so.3"],
        // A packager writes the folder in place of `@rpath`, and the program says where that is.
        "macos" => &[
            "-install_name,@rpath/libolm.3.dylib",
            "-compatibility_version,3.0.0",
            "-current_version,3.2.16",
        ],
        // On Windows it is the name of the file. The compiler writes the import library beside it.
        _ => &[],
    };
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg=-Wl,{argument}");
    }
}
