//! Every function to which a caller passes bytes accepts whatever can be borrowed as bytes.

use moceril_testing::public_functions::public_functions;

/// Decoders take a slice: they are called by the type, and `TryFrom` has the other forms. The
/// content of a libolm pickle is a slice because the rest of it is returned.
const DECODERS: [&str; 4] =
    ["from_bytes", "from_slice", "from_libolm_content", "from_own_libolm_content"];

/// `encrypt("text")`, `encrypt(string)` and `encrypt(&bytes)` compile, as does every other argument
/// that is bytes.
#[test]
fn bytes_are_whatever_can_be_borrowed_as_bytes() {
    let functions = public_functions();
    let (mut any, mut slices) = (0, 0);
    for (function, head) in functions {
        let arguments = head.rsplit_once(") ->").map_or(&*head, |(arguments, _)| arguments);
        let name = function.name.rsplit("::").next().unwrap();
        any += usize::from(arguments.contains("impl AsRef<[u8]>"));
        // A function that the caller passes has arguments of its own.
        if arguments.replace("FnOnce(&[u8])", "").contains("&[u8]") {
            assert!(DECODERS.contains(&name), "{}: {}", function.path, function.name);
            slices += 1;
        }
    }
    assert!(any > 30 && slices > 10, "{any} functions take bytes, {slices} slices");
}
