//! Frames: four bytes of length, big endian, and as many bytes.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::{io::AsyncReadExt, net::tcp::OwnedReadHalf};

/// Longest frame that is relayed, in bytes. Answers of 10,000 topics with all their configuration take 12 MB.
const MAX_FRAME: usize = 128 << 20;

/// Reads frames from one direction of a connection.
#[derive(Debug)]
pub(crate) struct FrameReader {
    half: OwnedReadHalf,
    buffer: BytesMut,
}

impl FrameReader {
    pub(crate) fn new(half: OwnedReadHalf) -> Self {
        Self { half, buffer: BytesMut::new() }
    }

    /// The next frame, without its length; `None` when the other side closed. A future of this method that is dropped
    /// loses nothing.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(Some(frame));
            }
            if self.half.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<Bytes>> {
        let Some(length) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_FRAME {
            return Err(invalid(format!("frame longer than {MAX_FRAME} bytes")));
        }
        if self.buffer.len() < 4 + length {
            self.buffer.reserve(4 + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(4);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

/// A frame whose content is `parts`, one after the other.
pub(crate) fn write(parts: &[&[u8]]) -> io::Result<Bytes> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let announced = i32::try_from(length).map_err(|_| invalid("frame longer than 2 GiB".to_owned()))?;
    let mut frame = BytesMut::with_capacity(4 + length);
    frame.put_i32(announced);
    for part in parts {
        frame.put_slice(part);
    }
    Ok(frame.freeze())
}

/// An error about what a client or a broker sent.
pub(crate) fn invalid(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}
