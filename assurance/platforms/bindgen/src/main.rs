//! `platform-bindgen nodejs|web FILE.wasm FOLDER` writes the JavaScript around a module.

use std::env;

use wasm_bindgen_cli_support::Bindgen;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [kind, module, folder] = &arguments[..] else {
        panic!("platform-bindgen nodejs|web FILE.wasm FOLDER")
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).typescript(true).remove_name_section(true);
    match kind.as_str() {
        "nodejs" => bindgen.nodejs(true).unwrap(),
        "web" => bindgen.web(true).unwrap(),
        _ => panic!("no such kind: {kind}"),
    };
    bindgen.generate(folder).unwrap();
}
