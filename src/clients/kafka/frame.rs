//! Frames: four bytes of length, then a message. A peer that lies about either is refused before memory is given to it.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut, TryGetError};
use kafka_protocol::{
    messages::RequestHeader,
    protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes, buf::ByteBuf},
};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of the largest answer that is read: all topics of the largest clusters fit many times.
pub(super) const LARGEST_FRAME: usize = 128 << 20;

/// The largest count that is believed, whatever it counts: decoding reserves memory for that many before it reads one.
const LARGEST_COUNT: usize = 1 << 24;

/// A count this small is harmless, even if fewer bytes follow.
const HARMLESS_COUNT: usize = 1 << 10;

/// Why no frame was read.
#[derive(Debug)]
pub(super) enum FrameError {
    /// The connection failed, or ended within a frame.
    Io(io::Error),
    /// The peer announced a frame that cannot be: these were its first bytes.
    Length([u8; 4]),
}

/// Reads a frame without its length; `None` if the peer ended the connection between two frames.
pub(super) async fn read_frame(reader: &mut (impl AsyncRead + Unpin)) -> Result<Option<Bytes>, FrameError> {
    let mut head = [0; 4];
    if reader.read(&mut head[..1]).await.map_err(FrameError::Io)? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut head[1..]).await.map_err(FrameError::Io)?;
    let length = usize::try_from(i32::from_be_bytes(head)).ok().filter(|it| (4..=LARGEST_FRAME).contains(it));
    let Some(length) = length else { return Err(FrameError::Length(head)) };
    // The buffer grows with what arrives, not with what was announced.
    let mut frame = Vec::new();
    let read = reader.take(length as u64).read_to_end(&mut frame).await.map_err(FrameError::Io)?;
    if read < length { Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into())) } else { Ok(Some(frame.into())) }
}

/// What a wrong length looks like to somebody who has to find out what answers there.
pub(super) fn wrong_length(head: [u8; 4]) -> String {
    match std::str::from_utf8(&head) {
        Ok(text) if text.chars().all(|it| it.is_ascii_graphic() || it == ' ') => format!("it begins with `{text}`"),
        _ => format!("it announces a frame of {} bytes", i32::from_be_bytes(head)),
    }
}

/// A request as a frame.
pub(super) fn request_frame<R: Request>(request: &R, version: i16, id: i32) -> Result<Bytes, String> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(id)
        .with_client_id(Some(StrBytes::from_static_str("terraform-provider-kafka")));
    let mut frame = BytesMut::zeroed(4);
    header.encode(&mut frame, R::header_version(version)).map_err(|error| error.to_string())?;
    request.encode(&mut frame, version).map_err(|error| error.to_string())?;
    let length = i32::try_from(frame.len() - 4).map_err(|_| "the request is larger than 2 GiB".to_owned())?;
    (&mut frame[..4]).put_i32(length);
    Ok(frame.freeze())
}

/// The correlation id that a frame answers.
pub(super) fn answered_id(frame: &Bytes) -> Option<i32> {
    frame.first_chunk().map(|it| i32::from_be_bytes(*it))
}

/// The answer that a frame carries.
pub(super) fn answer<R: Request>(frame: Bytes, version: i16) -> Result<R::Response, String> {
    let compact = 2 <= R::header_version(version);
    let mut frame = Bounded { bytes: frame, compact, count: 0, shift: 0 };
    let header = R::Response::header_version(version);
    kafka_protocol::messages::ResponseHeader::decode(&mut frame, header).map_err(|error| error.to_string())?;
    R::Response::decode(&mut frame, version).map_err(|error| error.to_string())
}

/// Bytes that refuse to yield an impossible count. The codec reserves memory for as many elements as an array claims to
/// have, and an allocation that fails ends the process, so the claim is checked here, where it is read.
struct Bounded {
    bytes: Bytes,
    /// Whether counts are in the newer encoding.
    compact: bool,
    /// What the bytes of a variable-length integer amount to so far.
    count: usize,
    shift: u32,
}

impl Bounded {
    /// Refuses a count that is larger than the bytes that follow, of which each element takes one at least.
    fn check(&self, count: usize, largest: usize) -> Result<(), TryGetError> {
        if count <= largest { Ok(()) } else { Err(TryGetError { requested: count, available: self.bytes.remaining() }) }
    }
}

impl Buf for Bounded {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }

    /// Counts in the older encoding are 32-bit integers, as are node ids, so that many values have to pass.
    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        let value = self.bytes.try_get_i32()?;
        if !self.compact {
            self.check(usize::try_from(value).unwrap_or(0), LARGEST_COUNT)?;
        }
        Ok(value)
    }

    /// Counts in the newer encoding are variable-length integers, seven bits in each byte, the lowest first.
    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        let byte = self.bytes.try_get_u8()?;
        self.count |= usize::from(byte & 0x7f) << self.shift;
        self.check(self.count, self.bytes.remaining().clamp(HARMLESS_COUNT, LARGEST_COUNT))?;
        self.shift += 7;
        if byte < 0x80 || 28 < self.shift {
            (self.count, self.shift) = (0, 0);
        }
        Ok(byte)
    }
}

impl ByteBuf for Bounded {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.bytes.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.bytes.split_to(size)
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::{
        ApiVersionsRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest,
        IncrementalAlterConfigsRequest, ListOffsetsRequest, MetadataRequest,
    };

    use super::*;
    use crate::clients::kafka::requests::Ask;

    #[test]
    fn an_array_that_cannot_be_is_refused_before_memory_is_reserved() {
        // Correlation id, tagged fields, throttle time, and brokers by the billion.
        let compact = Bytes::from_static(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert!(answer::<MetadataRequest>(compact, 12).is_err());
        // Correlation id, throttle time, and brokers by the billion.
        let plain = Bytes::from_static(&[0, 0, 0, 1, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]);
        assert!(answer::<MetadataRequest>(plain, 4).is_err());
    }

    #[test]
    fn bytes_of_every_kind_decode_or_fail_without_a_panic() {
        arbtest::arbtest(|input| {
            let bytes = Bytes::from(input.arbitrary::<Vec<u8>>()?);
            decode::<MetadataRequest>(&bytes);
            decode::<DescribeConfigsRequest>(&bytes);
            decode::<CreateTopicsRequest>(&bytes);
            decode::<DeleteTopicsRequest>(&bytes);
            decode::<CreatePartitionsRequest>(&bytes);
            decode::<IncrementalAlterConfigsRequest>(&bytes);
            decode::<ListOffsetsRequest>(&bytes);
            for version in [0, 3] {
                let _ = answer::<ApiVersionsRequest>(bytes.clone(), version);
            }
            Ok(())
        });
    }

    /// As an answer in every version that the client understands.
    fn decode<R: Ask>(bytes: &Bytes) {
        for version in R::WRITTEN {
            let _ = answer::<R>(bytes.clone(), version);
        }
    }

    #[tokio::test]
    async fn a_frame_of_two_gigabytes_is_refused_before_it_arrives() {
        let mut bytes: &[u8] = &[0x7f, 0xff, 0xff, 0xff, 1];
        assert!(matches!(read_frame(&mut bytes).await, Err(FrameError::Length([0x7f, 0xff, 0xff, 0xff]))));
    }

    #[tokio::test]
    async fn a_frame_that_is_cut_is_an_error_and_an_end_between_frames_is_none() {
        let mut bytes: &[u8] = &[0, 0, 0, 9, 1, 2];
        assert!(matches!(read_frame(&mut bytes).await, Err(FrameError::Io(_))));
        let mut bytes: &[u8] = &[];
        assert!(matches!(read_frame(&mut bytes).await, Ok(None)));
    }
}
