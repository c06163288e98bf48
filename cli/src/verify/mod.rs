//! `moceril verify`: who has signed the keys of devices and users, and whether test vectors are
//! right.

mod vectors;

use clap::Args;
use moceril::{
    Ed25519PublicKey,
    cross_signing::{MasterKey, SelfSigningKey},
    device_keys::DeviceKeys,
    signed_json::SignedJsonError,
};
use serde_json::Value;

use crate::{
    failure::{Failure, Result, chain},
    input::Input,
    report::{self, Report},
};

/// Check the signatures of device keys and cross-signing keys, or test vectors
///
/// The input is a server's answer to POST /_matrix/client/v3/keys/query, or the keys of one device.
/// A master key shows who the user is only if you know that it is theirs: compare it. If the input
/// is a file or folder of test vectors for Olm and Megolm, each vector is computed again, and wrong
/// ones are named.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril verify keys-query.json
  moceril verify keys-query.json --master-key nTEIpgYhvkohr+ACCbyUhBSQmQSqMohX1RRoORU7MKA
  moceril verify test-vectors")]
pub struct Verify {
    /// The file with the keys, or a file or folder of vectors; - is standard input
    #[arg(value_name = "FILE")]
    input: Input,
    /// The master key that you know to be the user's, if there is one user
    #[arg(long, value_name = "KEY")]
    master_key: Option<String>,
}

pub fn run(args: &Verify, json: bool) -> Result<()> {
    if vectors::are_in(&args.input) {
        return vectors::run(&args.input, json);
    }
    let expected = args.master_key.as_deref().map(Ed25519PublicKey::from_base64).transpose();
    let expected = expected.map_err(|error| Failure::usage(chain(&error)).at("--master-key"))?;
    let text = args.input.text()?;
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::input(format_args!("expected JSON: {error}")).at(args.input.name())
    })?;
    let reports = check(&value, expected)?;
    if reports.is_empty() {
        return Err(Failure::input("expected device_keys, or the keys of a device")
            .at(args.input.name())
            .hint("give the whole answer of the server to POST /_matrix/client/v3/keys/query"));
    }
    report::print(&reports, json)?;
    match reports.iter().filter(|report| report.has_problems()).count() {
        0 => Ok(()),
        count => {
            Err(Failure::finding(format_args!("{count} of {} failed verification", reports.len())))
        }
    }
}

/// A server could leave out what would show that another master key is in use, so with an
/// `expected` key anything missing is a problem.
fn check(value: &Value, expected: Option<Ed25519PublicKey>) -> Result<Vec<Report>> {
    let users = |name| value.get(name).and_then(Value::as_object);
    let mut reports = Vec::new();
    if users("device_keys").is_none() && users("master_keys").is_none() {
        if expected.is_some() {
            return Err(Failure::usage("--master-key needs the whole answer to POST /keys/query"));
        }
        let ids = [value.get("user_id"), value.get("device_id")].map(|id| id?.as_str());
        if let [Some(user), Some(id)] = ids {
            reports.push(device(value, user, id, None));
        }
        return Ok(reports);
    }
    let mut names: Vec<&String> = ["device_keys", "master_keys"]
        .into_iter()
        .filter_map(users)
        .flat_map(|users| users.keys())
        .collect();
    names.sort_unstable();
    names.dedup();
    for user in names {
        let key = |name| value.get(name)?.get(user);
        let self_signing = match (key("master_keys"), expected) {
            (Some(master), _) => {
                let (report, self_signing) = user_keys(master, key, user, expected);
                reports.push(report);
                self_signing
            }
            (None, Some(_)) => {
                let report = Report::new(format!("user {user}"));
                reports.push(report.problem("the server shows no master key"));
                None
            }
            (None, None) => None,
        };
        let devices = key("device_keys").and_then(Value::as_object);
        for (id, object) in devices.into_iter().flatten() {
            reports.push(device(object, user, id, self_signing.as_ref()));
        }
    }
    Ok(reports)
}

/// The cross-signing keys of a user, and the key that signs the user's devices.
fn user_keys<'a>(
    master: &Value,
    key: impl Fn(&'static str) -> Option<&'a Value>,
    user: &str,
    expected: Option<Ed25519PublicKey>,
) -> (Report, Option<SelfSigningKey>) {
    let report = Report::new(format!("user {user}"));
    let master = match MasterKey::read(master.clone(), user) {
        Ok(master) => master,
        Err(error) => return (report.problem(format!("master key: {}", chain(&error))), None),
    };
    let mut report = report.with("master key", master.key().to_base64());
    match expected {
        None => report = report.with("identity", "not verified: compare the master key"),
        Some(expected) if expected == master.key() => {
            report = report.with("identity", "this is the master key that you know");
        }
        Some(_) => return (report.problem("this is not the master key that you know"), None),
    }
    let self_signing = match key("self_signing_keys").cloned() {
        Some(object) => match master.verify_self_signing_key(object) {
            Ok(key) => Some(key),
            Err(error) => {
                report = report.problem(format!("self-signing key: {}", chain(&error)));
                None
            }
        },
        None if expected.is_some() => {
            report = report.problem("the server shows no self-signing key");
            None
        }
        None => None,
    };
    report = report.with("self-signing key", self_signing.is_some());
    if let Some(object) = key("user_signing_keys").cloned() {
        report = match master.verify_user_signing_key(object) {
            Ok(_) => report.with("user-signing key", true),
            Err(error) => report.problem(format!("user-signing key: {}", chain(&error))),
        };
    }
    (report, self_signing)
}

fn device(object: &Value, user: &str, id: &str, self_signing: Option<&SelfSigningKey>) -> Report {
    let report = Report::new(format!("device {id}")).with("user", user);
    match DeviceKeys::verify(object.clone(), user, id) {
        Ok(device) => {
            let keys = device.identity_keys();
            let report = report
                .with("Ed25519 key", keys.ed25519.to_base64())
                .with("Curve25519 key", keys.curve25519.to_base64())
                .with("own signature", true);
            match self_signing {
                None => report,
                Some(key) => match key.verify_device(&device) {
                    Ok(()) => report.with("signed by user", true),
                    Err(SignedJsonError::MissingSignature) => report.with("signed by user", false),
                    Err(error) => report.problem(format!("signed by user: {}", chain(&error))),
                },
            }
        }
        Err(error) => report.problem(error.to_string()),
    }
}
