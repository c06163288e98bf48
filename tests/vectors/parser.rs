//! The reader of the vectors is strict: a mistake in a file is an error.

use moceril_testing::vector_file::{
    Layer, VectorFile, assert_at_least, check_each, item_bytes, number, panic_of, unhex,
};

const HEAD: &str = "kind: test\nsource: here\n";

fn parse(text: &str) -> Result<VectorFile, String> {
    VectorFile::parse("test", &format!("{HEAD}{text}"))
}

#[test]
fn files_of_the_format_are_read() {
    let file = parse("expect: mac\n\n# a remark\nempty:\nhex: 00ff\nn: 42\nstep: b\nstep: a -\n");
    let file = file.unwrap();
    assert_eq!((file.kind.as_str(), file.expect), ("test", Some(Layer::Mac)));
    assert_eq!(file.unread(), ["empty", "hex", "n", "step"]);
    assert_eq!((file.text("empty"), file.bytes("empty")), ("", Vec::new()));
    assert_eq!((file.array("hex"), file.number("n")), ([0, 255], 42));
    assert_eq!(file.steps(), [vec!["b"], vec!["a", "-"]]);
    assert_eq!(file.optional("absent"), None);
    assert!(file.unread().is_empty());
}

#[test]
fn files_not_of_the_format_are_refused() {
    let lines = [
        "no colon",
        ": value",
        "Key: value",
        "key : value",
        " key: value",
        "key:value",
        "key:  value",
        "key: ",
        "key: value ",
        "key: value\r",
        "key: a\tb",
        "kind: again",
        "key: once\nkey: twice",
    ];
    for line in lines {
        assert!(parse(&format!("expect: success\n{line}\n")).is_err(), "{line:?}");
    }
    for expect in ["", "expect: perhaps", "expect:"] {
        assert!(parse(expect).is_err(), "{expect:?}");
    }
    for text in
        ["", "source: s\nexpect: mac", "kind: k\nexpect: mac", "kind: k\nsource:\nexpect: mac"]
    {
        assert!(VectorFile::parse("test", text).is_err(), "{text:?}");
    }
}

#[test]
fn values_not_of_the_format_are_refused() {
    for text in ["", "-1", "+1", "01", " 1", "4294967296", "0x1"] {
        assert!(panic_of(|| number(text)).is_some(), "{text:?}");
    }
    for text in ["0", "AB", "0g", "0x00", " 00"] {
        assert!(panic_of(|| unhex(text)).is_some(), "{text:?}");
    }
    assert!(panic_of(|| item_bytes("")).is_some());
    assert!(item_bytes("-").is_empty());
    let file = parse("expect: success\nhex: 0000").unwrap();
    assert!(panic_of(|| file.text("absent")).is_some());
    assert!(panic_of(|| file.array::<3>("hex")).is_some());
    assert!(panic_of(|| file.steps()).is_some());
}

#[test]
fn a_failure_names_its_file_and_an_unread_key_is_one() {
    let files = [parse("expect: success\ngood: 1").unwrap(), parse("expect: mac\nbad: 1").unwrap()];
    let unread = panic_of(|| {
        check_each(&files, |file| assert!(file.optional("good").is_none_or(|good| good == "1")))
    })
    .unwrap();
    assert_eq!(unread, "1 files fail:\ntest: nothing reads [\"bad\"]");
    let failed =
        panic_of(|| check_each(&files, |file| assert_eq!(file.text("good"), "1"))).unwrap();
    assert_eq!(failed, "1 files fail:\ntest: `good` is missing");
}

#[test]
fn a_missing_file_is_noticed() {
    let files = [parse("expect: success").unwrap(), parse("expect: mac").unwrap()];
    assert_at_least(&files, "test", 1, 1);
    for (positive, negative) in [(2, 1), (1, 2)] {
        let missing = panic_of(|| assert_at_least(&files, "test", positive, negative));
        assert!(missing.is_some_and(|text| text.contains("files of kind test are missing")));
    }
}
