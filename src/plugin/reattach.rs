//! A plugin that a person starts under a debugger, and to which Terraform then connects.

use std::{
    io::{self, Write as _},
    process,
};

use serde_json::{Value, json};

use crate::plugin::{handshake::PROTOCOL_VERSION, listener::Listener};

/// The provider as Terraform and as OpenTofu know it.
const ADDRESSES: [&str; 2] = ["registry.terraform.io/selfserve/kafka", "registry.opentofu.org/selfserve/kafka"];

/// Tells the person which variable makes Terraform connect here.
pub(super) fn announce(listener: &Listener) -> io::Result<()> {
    let value = value(listener.network, &listener.address);
    let assignment = if cfg!(windows) { "$env:TF_REATTACH_PROVIDERS=" } else { "export TF_REATTACH_PROVIDERS=" };
    let mut stdout = io::stdout().lock();
    write!(
        stdout,
        "The provider runs as process {} and waits. To use it, set this where you run Terraform or OpenTofu:\n\n    \
         {assignment}'{value}'\n\nCtrl-C ends it.\n",
        process::id()
    )?;
    stdout.flush()
}

/// Both addresses, since the other program ignores the one that it does not use.
///
/// With `Test`, Terraform never ends the process. Without it, it would also forget the protocol's version and speak 5.
fn value(network: &str, address: &str) -> Value {
    let plugin = json!({
        "Protocol": "grpc",
        "ProtocolVersion": PROTOCOL_VERSION,
        "Pid": process::id(),
        "Test": true,
        "Addr": { "Network": network, "String": address },
    });
    ADDRESSES.into_iter().map(|it| (it.to_owned(), plugin.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_programs_find_their_address() {
        let value = value("unix", "/tmp/plugin1");
        for address in ADDRESSES {
            assert_eq!(value[address]["ProtocolVersion"], 6);
            assert_eq!(value[address]["Test"], true);
            assert_eq!(value[address]["Pid"], process::id());
            assert_eq!(value[address]["Addr"], json!({ "Network": "unix", "String": "/tmp/plugin1" }));
        }
    }
}
