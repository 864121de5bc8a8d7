//! Requests as the proxy sees them.

use std::{io, net::SocketAddr, time::Instant};

use bytes::Bytes;
use kafka_protocol::{
    messages::{ApiKey, ProduceRequest, ResponseHeader},
    protocol::{Decodable, Encodable, decode_request_header_from_buffer},
};

use crate::frame;

/// A request that a client sent through the proxy.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which API is asked.
    pub api_key: ApiKey,
    /// Version of the API, in which [`Request::body`] is written.
    pub api_version: i16,
    /// Number by which the client finds the answer.
    pub correlation_id: i32,
    /// Name that the client gives itself.
    pub client_id: Option<String>,
    /// Number of the connection, from 1, in the order in which clients connected.
    pub connection: u64,
    /// The broker that the request is for.
    pub broker: SocketAddr,
    /// When the request arrived.
    pub at: Instant,
    /// The request without its header, to be decoded with `kafka_protocol` if need be.
    pub body: Bytes,
}

/// What the proxy keeps of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which API was asked.
    pub api_key: ApiKey,
    /// Version of the API.
    pub api_version: i16,
    /// Name that the client gave itself.
    pub client_id: Option<String>,
    /// Number of the connection, from 1.
    pub connection: u64,
    /// When the request arrived.
    pub at: Instant,
}

impl Request {
    /// Reads the header of a frame. Fails on an API key that `kafka_protocol` does not know and on a broken header.
    pub(crate) fn read(frame: &Bytes, connection: u64, broker: SocketAddr) -> io::Result<Self> {
        let mut body = frame.clone();
        let header = decode_request_header_from_buffer(&mut body)
            .map_err(|error| frame::invalid(format!("request with a broken header: {error}")))?;
        let api_key = ApiKey::try_from(header.request_api_key)
            .map_err(|()| frame::invalid(format!("request for the unknown API {}", header.request_api_key)))?;
        Ok(Self {
            api_key,
            api_version: header.request_api_version,
            correlation_id: header.correlation_id,
            client_id: header.client_id.map(|id| id.to_string()),
            connection,
            broker,
            at: Instant::now(),
            body,
        })
    }

    /// What is kept of the request.
    pub(crate) fn record(&self) -> Record {
        Record {
            api_key: self.api_key,
            api_version: self.api_version,
            client_id: self.client_id.clone(),
            connection: self.connection,
            at: self.at,
        }
    }

    /// Whether the broker answers: it does not to a Produce that asks for no acknowledgement.
    pub(crate) fn wants_answer(&self) -> io::Result<bool> {
        if self.api_key != ApiKey::Produce {
            return Ok(true);
        }
        let produce = ProduceRequest::decode(&mut self.body.clone(), self.api_version)
            .map_err(|error| frame::invalid(format!("Produce request: {error}")))?;
        Ok(produce.acks != 0)
    }

    /// A whole frame, length and header included, that answers the request with `body`.
    pub(crate) fn answer(&self, body: &Bytes) -> io::Result<Bytes> {
        let mut header = Vec::new();
        ResponseHeader::default()
            .with_correlation_id(self.correlation_id)
            .encode(&mut header, self.api_key.response_header_version(self.api_version))
            .map_err(|error| frame::invalid(format!("answer's header: {error}")))?;
        frame::write(&[&header, body])
    }
}
