mod common;
use moceril::{MessageVersion, PickleKey, megolm::*, olm::{Account, PreKeyBundle, Session, SessionConfig}};
#[test]
fn smoke() {
    for version in [MessageVersion::V3, MessageVersion::V4] {
        let mut rng = common::rng::SeededRng::new(1);
        let alice = Account::new().unwrap();
        let mut bob = Account::new().unwrap();
        bob.generate_one_time_keys(2).unwrap();
        let otk = bob.signed_one_time_keys()[0].1;
        let bundle = PreKeyBundle::verify(bob.identity_keys(), &otk).unwrap();
        let config = SessionConfig { version, ..Default::default() };
        let mut s = alice.create_outbound_session_with(&bundle, config, &mut rng).unwrap();
        let m: Vec<_> = (0..100).map(|i| s.encrypt(&[i]).unwrap()).collect();
        let mut inb = bob.create_inbound_session_with(alice.curve25519_key(), m[50].as_pre_key().unwrap(), config).unwrap();
        for i in (59..100).rev() { if i != 50 { assert_eq!(inb.session.decrypt(&m[i]).unwrap().plaintext, [i as u8], "{i}"); } }
        println!("{:?} {:?}", inb.session.decrypt(&m[9]), inb.session);
        let key = PickleKey::new([7; 32]);
        let p = inb.session.pickle(&key, b"x").unwrap();
        println!("{}", p.len());
        let p2 = Session::from_pickle(&p, &key, b"x").unwrap();
        println!("{:?}", p2);
        let p = bob.pickle(&key, b"").unwrap();
        Account::from_pickle(&p, &key, b"").unwrap();
        let mut g = GroupSession::with(GroupSessionConfig { version, created_at: None }, &mut rng).unwrap();
        let k = SessionKey::from_base64(&g.session_key().to_base64()).unwrap();
        let mut i = InboundGroupSession::new_with_version(&k, version);
        for _ in 0..300 { let m = g.encrypt(b"hi").unwrap(); let m = MegolmMessage::from_bytes(m.as_bytes()).unwrap(); i.decrypt(&m).unwrap(); }
        println!("{:?} {:?}", i, g);
        println!("{}", i.pickle(&key, b"").unwrap().len());
        InboundGroupSession::from_pickle(&i.pickle(&key, b"").unwrap(), &key, b"").unwrap();
    }
}
