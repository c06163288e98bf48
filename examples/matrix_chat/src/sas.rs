//! Two people compare seven emoji to verify each other's devices.
//!
//! Spec: Matrix, "Short Authentication String (SAS) verification". The device that sends the start
//! event is called the starter here.

use std::collections::BTreeMap;

use anstream::println;
use anyhow::{Context, Result, bail, ensure};
use moceril::{
    Curve25519PublicKey, canonical_json,
    sas::{EstablishedSas, InfoStrings, MacMethod, Party, Sas, commitment, key_ids},
};
use serde_json::{Value, json};

use crate::{
    identity::Identity,
    json,
    terminal::confirm,
    verify::{End, Verification, offers},
};

pub const METHOD: &str = "m.sas.v1";
const AGREEMENT: &str = "curve25519-hkdf-sha256";
const HASH: &str = "sha256";
/// The best first. The second is deprecated; it is there for devices that do not know the first.
/// Nobody in between can choose it for two that do: the commitment covers what the starter offers.
const MAC_METHODS: [MacMethod; 2] = [MacMethod::HkdfHmacSha256V2, MacMethod::HkdfHmacSha256];

const UNKNOWN_METHOD: End =
    End::Ours("m.unknown_method", "the other device does it in a way that we do not know");

/// We start, and the other device commits to its key.
pub fn start(it: &Verification<'_>) -> Result<()> {
    let start = json!({
        "method": METHOD,
        "key_agreement_protocols": [AGREEMENT],
        "hashes": [HASH],
        "message_authentication_codes": MAC_METHODS.map(MacMethod::name),
        "short_authentication_string": ["emoji", "decimal"],
        // What `send` adds, too, for the commitment is to all of it.
        "transaction_id": it.id,
        "from_device": it.client.device_id,
    });
    it.send("start", start.clone())?;
    let accept = match it.next_step()? {
        (step, theirs) if step == "start" => {
            ensure!(
                theirs["method"] == METHOD,
                End::Ours("m.unexpected_message", "both started, in different ways")
            );
            let us = (&it.client.user_id, &it.client.device_id);
            // Both started. The start of the smaller name counts, the other is forgotten by both.
            if us > (&it.them.user_id, &it.them.device_id) {
                return answer(it, &theirs);
            }
            it.expect("accept")?
        }
        (step, accept) if step == "accept" => accept,
        _ => bail!(End::Ours("m.unexpected_message", "this was not its turn")),
    };
    ensure!(accept["key_agreement_protocol"] == AGREEMENT, UNKNOWN_METHOD);
    ensure!(accept["hash"] == HASH, UNKNOWN_METHOD);
    ensure!(offers(&accept, "short_authentication_string", "emoji"), UNKNOWN_METHOD);
    let chosen = json::text(&accept, "/message_authentication_code")?;
    let method = MAC_METHODS.into_iter().find(|method| method.name() == chosen);
    let method = method.ok_or(UNKNOWN_METHOD)?;
    let sas = Sas::new()?;
    it.send("key", json!({ "key": sas.public_key().to_base64() }))?;
    let their_key = Curve25519PublicKey::from_base64(json::text(&it.expect("key")?, "/key")?)?;
    let committed = commitment(&their_key, &canonical_json::to_string(&start)?);
    ensure!(
        json::text(&accept, "/commitment")?.trim_end_matches('=') == committed,
        End::Ours("m.mismatched_commitment", "the other device changed its key after it saw ours")
    );
    compare(it, &sas.diffie_hellman(their_key)?, method, true)
}

/// The other device started, and we commit to our key.
pub fn answer(it: &Verification<'_>, start: &Value) -> Result<()> {
    ensure!(start["method"] == METHOD, UNKNOWN_METHOD);
    ensure!(offers(start, "key_agreement_protocols", AGREEMENT), UNKNOWN_METHOD);
    ensure!(offers(start, "hashes", HASH), UNKNOWN_METHOD);
    ensure!(offers(start, "short_authentication_string", "emoji"), UNKNOWN_METHOD);
    let known = |method: &MacMethod| offers(start, "message_authentication_codes", method.name());
    let method = MAC_METHODS.into_iter().find(known).ok_or(UNKNOWN_METHOD)?;
    let sas = Sas::new()?;
    let accept = json!({
        "method": METHOD,
        "key_agreement_protocol": AGREEMENT,
        "hash": HASH,
        "message_authentication_code": method.name(),
        "short_authentication_string": ["emoji"],
        "commitment": commitment(&sas.public_key(), &canonical_json::to_string(start)?),
    });
    it.send("accept", accept)?;
    let their_key = Curve25519PublicKey::from_base64(json::text(&it.expect("key")?, "/key")?)?;
    it.send("key", json!({ "key": sas.public_key().to_base64() }))?;
    compare(it, &sas.diffie_hellman(their_key)?, method, false)
}

/// The users compare, and the devices exchange MACs of their keys.
fn compare(
    it: &Verification<'_>,
    sas: &EstablishedSas,
    method: MacMethod,
    we_started: bool,
) -> Result<()> {
    let (us, them) = (it.client, &it.them);
    let infos = InfoStrings {
        us: Party { user_id: &us.user_id, device_id: &us.device_id },
        them: Party { user_id: &them.user_id, device_id: &them.device_id },
        we_started,
        transaction_id: &it.id,
    };
    let emoji = sas.bytes(infos.sas(sas)).emoji();
    println!("\n  {}", emoji.map(|emoji| emoji.symbol).join("   "));
    println!("  {}\n", emoji.map(|emoji| emoji.description).join(", "));
    let equal = confirm(&format!("Does {} see the same?", them.user_id))
        .context(End::Ours("m.user", "there was no answer"))?;
    ensure!(
        equal,
        End::Ours(
            "m.mismatched_sas",
            "the emoji differ: somebody is between you, or one of you looked wrong"
        )
    );
    it.send("mac", our_macs(it, sas, &infos, method)?)?;
    let identity = check_macs(it, sas, &infos, method, &it.expect("mac")?)?;
    us.store.atomically(|| {
        them.mark_compared(&us.store)?;
        match &identity {
            Some(master) => Identity::mark_verified(us, &them.user_id, master),
            None => Ok(()),
        }
    })?;
    it.send("done", json!({}))
}

fn our_macs(
    it: &Verification<'_>,
    sas: &EstablishedSas,
    infos: &InfoStrings<'_>,
    method: MacMethod,
) -> Result<Value> {
    let us = it.client;
    let mac = |input: &str, id: &str| sas.calculate_mac(method, input, infos.our_mac(id));
    // Our device's key, and our identity if this device trusts it.
    let device = us.store.account()?.ed25519_key().to_base64();
    let mut keys = BTreeMap::from([(format!("ed25519:{}", us.device_id), device)]);
    keys.extend(Identity::ours(us)?.map(|master| (format!("ed25519:{master}"), master)));
    let list = key_ids(keys.keys().map(String::as_str));
    let macs: BTreeMap<&String, String> =
        keys.iter().map(|(name, key)| (name, mac(key, name))).collect();
    Ok(json!({ "mac": macs, "keys": mac(&list, InfoStrings::KEY_IDS) }))
}

/// Checks what the other device vouches for: its own key, and maybe its user's identity, whose
/// master key is returned if it is the one that the server showed.
fn check_macs(
    it: &Verification<'_>,
    sas: &EstablishedSas,
    infos: &InfoStrings<'_>,
    method: MacMethod,
    content: &Value,
) -> Result<Option<String>> {
    let them = &it.them;
    let check = |input: &str, id: &str, tag: &str| {
        sas.verify_mac(method, input, infos.their_mac(id), tag)
            .map_err(|_| End::Ours("m.key_mismatch", "the MAC does not verify"))
    };
    let macs = content["mac"].as_object().context("/mac is missing")?;
    let list = key_ids(macs.keys().map(String::as_str));
    check(&list, InfoStrings::KEY_IDS, json::text(content, "/keys")?)?;
    let name = format!("ed25519:{}", them.device_id);
    let tag = macs.get(&name).and_then(Value::as_str);
    let tag = tag.context("the other device does not vouch for its own key")?;
    check(&them.keys.ed25519.to_base64(), &name, tag)?;
    // Another key is one that the server does not show, or not yet: nothing is known of it.
    let Some(master) = &it.their_identity else { return Ok(None) };
    let name = format!("ed25519:{master}");
    let Some(tag) = macs.get(&name) else { return Ok(None) };
    check(master, &name, tag.as_str().context("a MAC is no text")?)?;
    Ok(Some(master.clone()))
}
