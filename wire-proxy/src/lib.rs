//! A proxy between a Kafka client and its brokers, for tests and benches: it delays, cuts, swallows, rewrites and counts,
//! so that the product under test needs no fault hooks.
//!
//! ```no_run
//! use wire_proxy::{Action, ApiKey, WireProxy};
//!
//! # async fn example() -> std::io::Result<()> {
//! let proxy = WireProxy::start(([127, 0, 0, 1], 9092).into())?;
//! let mut creations = 0;
//! proxy.on_request(move |request, _number| {
//!     creations += u64::from(request.api_key == ApiKey::CreateTopics);
//!     if request.api_key == ApiKey::CreateTopics && creations == 1 { Action::CutAfter } else { Action::Forward }
//! });
//! // … a client that is given `proxy.address()` loses the answer to its first CreateTopics …
//! assert_eq!(proxy.count(ApiKey::CreateTopics), 2);
//! proxy.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`WireProxy::start`] understands the Kafka protocol of a plaintext listener (PLAINTEXT or `SASL_PLAINTEXT` with
//! SASL handshake version 1). Addresses of brokers in the answers to Metadata, `FindCoordinator` and `DescribeCluster` are
//! replaced by the proxy's own, one port for each broker, so that the client never leaves the proxy.
//!
//! [`WireProxy::start_opaque`] relays bytes that it does not understand, as it must for TLS: it delays, cuts and refuses
//! connections, but counts no requests and replaces no addresses.
//!
//! Frames are held whole, and at most 32 requests and 32 answers of one connection are in the proxy at once; a client or
//! a broker that is faster waits. A frame above 128 MiB ends the connection.

mod action;
mod addresses;
mod connection;
mod frame;
mod listener;
mod opaque;
mod proxy;
mod request;
#[cfg(test)]
mod tests;

pub use action::{Action, AnswerRewrite};
pub use kafka_protocol::messages::ApiKey;
pub use proxy::WireProxy;
pub use request::{Record, Request};
