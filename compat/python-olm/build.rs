//! Writes the declarations of the C headers to the file where maturin looks for them when it makes
//! the Python module.

use std::{env, error::Error, fs, path::Path};

/// Each header comes after those that it includes.
const HEADERS: [&str; 6] =
    ["error", "inbound_group_session", "outbound_group_session", "olm", "pk", "sas"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../libolm/include/olm");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut declarations = String::new();
    for header in HEADERS {
        let text = fs::read_to_string(folder.join(header).with_extension("h"))?;
        declarations.push_str(&without_preprocessor(&text));
    }
    // Programs wipe buffers with `lib.memset`, which python-olm offers too.
    declarations.push_str("void *memset(void *s, int c, size_t n);\n");
    // OUT_DIR is `build/PACKAGE/out` in the folder of the profile, which is in the target folder
    // or, in a cross build, in a folder of the target folder that has the target's name.
    let out = env::var("OUT_DIR")?;
    let target = env::var("TARGET")?;
    let folder = Path::new(&out)
        .ancestors()
        .skip(4)
        .find(|folder| !folder.ends_with(&target))
        .ok_or("OUT_DIR is not in a target folder")?;
    fs::write(folder.join("header.h"), declarations)?;
    Ok(())
}

/// The declarations alone: cffi's parser knows neither the preprocessor's lines, nor the attribute,
/// nor the braces for C++.
fn without_preprocessor(header: &str) -> String {
    let skipped = ["#", "extern \"C\"", "} /*"];
    let mut lines = String::new();
    for line in header.lines() {
        if !skipped.iter().any(|start| line.starts_with(start)) {
            lines.push_str(&line.replace("OLM_EXPORT ", ""));
            lines.push('\n');
        }
    }
    lines
}
