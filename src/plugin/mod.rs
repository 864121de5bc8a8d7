//! The plugin's side of go-plugin, the contract between Terraform or OpenTofu (the *host*) and a provider.
//!
//! A provider is a program of its own. The host starts it anew for every walk of its graph, three to five times in one
//! command, and speaks gRPC with it over a local socket. What holds between the two, apart from the provider protocol:
//!
//! **Start.** The host sets `TF_PLUGIN_MAGIC_COOKIE` to a fixed word. Without it a person started the program, who is
//! told what it is, with exit code 1. `PLUGIN_PROTOCOL_VERSIONS` lists the major versions that the host speaks, in any
//! order. `PLUGIN_CLIENT_CERT` holds the certificate that the host will show. `PLUGIN_MIN_PORT` and `PLUGIN_MAX_PORT`
//! bound the port on Windows; `PLUGIN_UNIX_SOCKET_DIR` and `PLUGIN_UNIX_SOCKET_GROUP` place the socket elsewhere, and
//! Terraform sets neither.
//!
//! **Handshake.** The plugin prints one line on standard output, `1|6|unix|/tmp/plugin…|grpc|<certificate>`: the
//! version of this contract, the version of the protocol, the network, the address, the kind of protocol, and its own
//! certificate as DER in base64 without padding, empty where nothing is encrypted. The plugin must listen by then. The
//! host reads no other line, and gives up after a minute.
//!
//! **TLS.** Each side has made a certificate for this one process and accepts the other's alone; see `tls.rs`.
//!
//! **Services.** The provider's own, and four of go-plugin's: `GRPCController` to end it; `GRPCStdio` and `GRPCBroker`,
//! which the host opens at once and which stay silent; and a health check. A message may be larger than gRPC's usual
//! 4 MiB: the host has no limit but 64 MiB for a schema.
//!
//! **End.** The host calls `Shutdown`, waits for the answer without a deadline, closes the connection and waits for the
//! process; after two seconds it kills it. A plugin that never answers blocks the host for ever, and one that answers
//! and lingers costs it two seconds, every time. The host also waits until standard output and standard error are
//! closed, so that no child process may keep them. So [`main`] returns as soon as the answer has left.
//!
//! **Signals.** Ctrl-C reaches the plugin as well as the host. It is ignored: the host says what it means, by
//! `StopProvider`. Nothing at all is said when the host is killed; see `lifetime.rs`.
//!
//! **Log.** The host reads standard error and, when logs are asked for, takes JSON lines apart; see [`crate::log`].
//!
//! **Reattach.** A person can start the plugin, under a debugger for instance, and tell the host where it is by
//! `TF_REATTACH_PROVIDERS`. Nothing is encrypted then, one process serves every walk and every command, and the person
//! ends it.

mod command_line;
mod connection;
mod controller;
mod handshake;
mod health;
mod lifetime;
mod listener;
mod process;
mod reattach;
mod server;
mod signals;
mod stdio;
mod tls;

pub use process::main;
