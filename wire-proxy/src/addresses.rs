//! Replaces the addresses of brokers in answers, so that the client comes back through the proxy.

use std::{io, sync::Arc};

use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    messages::{ApiKey, DescribeClusterResponse, FindCoordinatorResponse, MetadataResponse},
    protocol::{Decodable, Encodable, Message, StrBytes},
};

use crate::{frame, proxy::Shared};

/// The body with the proxy's addresses in it; answers of other APIs stay as they are.
pub(crate) async fn replace(shared: &Arc<Shared>, key: ApiKey, version: i16, body: Bytes) -> io::Result<Bytes> {
    match key {
        ApiKey::Metadata => {
            let mut answer: MetadataResponse = decode(body, version)?;
            for broker in &mut answer.brokers {
                replace_one(shared, &mut broker.host, &mut broker.port).await?;
            }
            encode(&answer, version)
        }
        ApiKey::FindCoordinator => {
            let mut answer: FindCoordinatorResponse = decode(body, version)?;
            replace_one(shared, &mut answer.host, &mut answer.port).await?;
            for coordinator in &mut answer.coordinators {
                replace_one(shared, &mut coordinator.host, &mut coordinator.port).await?;
            }
            encode(&answer, version)
        }
        ApiKey::DescribeCluster => {
            let mut answer: DescribeClusterResponse = decode(body, version)?;
            for broker in &mut answer.brokers {
                replace_one(shared, &mut broker.host, &mut broker.port).await?;
            }
            encode(&answer, version)
        }
        _ => Ok(body),
    }
}

/// An empty host or a port that is none stands for "no broker", as in a coordinator that was not found.
async fn replace_one(shared: &Arc<Shared>, host: &mut StrBytes, port: &mut i32) -> io::Result<()> {
    let Some(number) = u16::try_from(*port).ok().filter(|number| *number != 0 && !host.is_empty()) else {
        return Ok(());
    };
    let own = shared.address_for(host, number).await?;
    *host = StrBytes::from_string(own.ip().to_string());
    *port = own.port().into();
    Ok(())
}

fn decode<T: Decodable + Message>(mut body: Bytes, version: i16) -> io::Result<T> {
    if version > T::VERSIONS.max {
        return Err(frame::invalid(format!("version {version} is newer than the proxy's {}", T::VERSIONS.max)));
    }
    T::decode(&mut body, version).map_err(|error| frame::invalid(format!("answer with addresses: {error}")))
}

fn encode<T: Encodable>(answer: &T, version: i16) -> io::Result<Bytes> {
    let mut body = BytesMut::new();
    answer.encode(&mut body, version).map_err(|error| frame::invalid(format!("answer with addresses: {error}")))?;
    Ok(body.freeze())
}
