//! Batches of records as brokers keep them. The codec writes them; they are read here, because the codec gives no time
//! of `LogAppendTime`, no end of a compacted batch, and believes counts.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, Bytes, BytesMut, TryGetError};
use kafka_protocol::{
    indexmap::IndexMap,
    records::{
        Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record,
        RecordBatchEncoder, RecordEncodeOptions, TimestampType,
    },
};

use crate::{
    clients::{
        clock::now,
        kafka::log::{Lease, LogRead, LogRecord, NewRecord},
    },
    governance::record::Timestamp,
};

/// Offset and length, before each batch of any format.
const PREFIX: usize = 12;

/// The place of the format's number in a batch.
const MAGIC: usize = 16;

/// The format of brokers since 0.11.
const FORMAT: u8 = 2;

/// Bytes of a record are at least seven: its length, attributes, two deltas, two lengths and the count of headers.
const SMALLEST_RECORD: usize = 7;

/// Records as one batch of a transaction, of which the first has a number under the lease.
pub(super) fn encode(lease: &Lease, first: i32, records: &[NewRecord]) -> Result<Bytes, String> {
    batch((lease.producer_id, lease.epoch, first), true, records)
}

/// Records as one batch of nobody's, which brokers take as often as it is sent.
pub(super) fn encode_alone(records: &[NewRecord]) -> Result<Bytes, String> {
    batch((NO_PRODUCER_ID, NO_PRODUCER_EPOCH, NO_SEQUENCE), false, records)
}

fn batch(
    (producer_id, producer_epoch, first): (i64, i16, i32),
    transactional: bool,
    records: &[NewRecord],
) -> Result<Bytes, String> {
    let now = now();
    let records = records.iter().zip(0..).map(|(record, number): (_, i32)| Record {
        transactional,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
        producer_id,
        producer_epoch,
        timestamp_type: TimestampType::Creation,
        offset: number.into(),
        sequence: first + number,
        timestamp: record.timestamp.unwrap_or(now).0,
        key: record.key.clone(),
        value: record.value.clone(),
        headers: IndexMap::new(),
    });
    let records: Vec<Record> = records.collect();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    let mut bytes = BytesMut::new();
    RecordBatchEncoder::encode(&mut bytes, &records, &options).map_err(|error| error.to_string())?;
    Ok(bytes.freeze())
}

/// Adds the committed records of an answer to what was read, and moves [`LogRead::next`] behind them. `aborted` are the
/// producers of aborted transactions, with the offsets at which these begin.
pub(super) fn decode(read: &mut LogRead, mut bytes: Bytes, aborted: &[(i64, i64)]) {
    let mut aborted = Aborted::new(aborted);
    while let Some(mut batch) = next_batch(&mut bytes) {
        let header = match Header::read(&mut batch) {
            Ok(header) => header,
            Err(Unread { offset, next, problem }) => {
                if read.next <= offset {
                    read.unreadable.push((offset, problem));
                }
                read.next = read.next.max(next);
                continue;
            }
        };
        let from = read.next;
        read.next = from.max(header.last_offset + 1);
        if aborted.covers(&header, &batch) || header.is_control() {
            continue;
        }
        match header.records(batch) {
            Ok(records) => read.records.extend(records.into_iter().filter(|it| from <= it.offset)),
            Err(problem) => read.unreadable.push((header.first_offset, problem)),
        }
    }
}

/// The bytes of the next batch; `None` at the end, where an answer may cut a batch.
fn next_batch(bytes: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(i32::from_be_bytes(*bytes.get(8..PREFIX)?.first_chunk()?)).ok()?;
    let end = PREFIX.checked_add(length)?;
    (MAGIC < end && end <= bytes.len()).then(|| bytes.split_to(end))
}

/// The aborted transactions that an answer names, as far as reading came.
struct Aborted {
    /// By the offsets at which they begin.
    ahead: BTreeMap<i64, Vec<i64>>,
    open: BTreeSet<i64>,
}

impl Aborted {
    fn new(transactions: &[(i64, i64)]) -> Self {
        let mut ahead: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (producer, first_offset) in transactions {
            ahead.entry(*first_offset).or_default().push(*producer);
        }
        Self { ahead, open: BTreeSet::new() }
    }

    /// Whether a batch is of an aborted transaction, which the marker that says so ends.
    fn covers(&mut self, header: &Header, batch: &Bytes) -> bool {
        let ahead = self.ahead.split_off(&(header.last_offset + 1));
        self.open.extend(std::mem::replace(&mut self.ahead, ahead).into_values().flatten());
        if header.is_control() && is_abort(header, batch) {
            self.open.remove(&header.producer);
        }
        header.is_transactional() && self.open.contains(&header.producer)
    }
}

/// Whether a marker aborts a transaction: its key is a version, then 0.
fn is_abort(header: &Header, batch: &Bytes) -> bool {
    let records = header.records(batch.clone()).unwrap_or_default();
    records.first().and_then(|it| it.key.as_ref()).and_then(|it| it.get(2..4)).is_some_and(|it| it == [0, 0])
}

/// What precedes the records of a batch.
struct Header {
    first_offset: i64,
    last_offset: i64,
    attributes: i16,
    first_timestamp: i64,
    newest_timestamp: i64,
    producer: i64,
    count: usize,
}

/// A batch that cannot be read, its place and the one after it.
struct Unread {
    offset: i64,
    next: i64,
    problem: String,
}

impl Header {
    fn read(batch: &mut Bytes) -> Result<Self, Unread> {
        let first_offset = i64::from_be_bytes(batch.first_chunk().copied().unwrap_or_default());
        let magic = batch.get(MAGIC).copied().unwrap_or_default();
        if magic != FORMAT {
            // Older formats write the offset of a message, or of the last of several.
            let problem = format!("a message of the old format {magic}");
            return Err(Unread { offset: first_offset, next: first_offset + 1, problem });
        }
        let checked = Self::read_fields(batch, first_offset);
        checked.map_err(|problem| Unread { offset: first_offset, next: first_offset + 1, problem: problem.to_string() })
    }

    fn read_fields(batch: &mut Bytes, first_offset: i64) -> Result<Self, TryGetError> {
        // Leader epoch, format and checksum: TCP, TLS and the broker have checked what arrives.
        batch.advance(PREFIX);
        batch.try_get_i32()?;
        batch.try_get_u8()?;
        batch.try_get_u32()?;
        let attributes = batch.try_get_i16()?;
        let last_offset = first_offset.saturating_add(batch.try_get_i32()?.into());
        let first_timestamp = batch.try_get_i64()?;
        let newest_timestamp = batch.try_get_i64()?;
        let producer = batch.try_get_i64()?;
        batch.try_get_i16()?;
        batch.try_get_i32()?;
        let count = usize::try_from(batch.try_get_i32()?).unwrap_or(0);
        Ok(Self { first_offset, last_offset, attributes, first_timestamp, newest_timestamp, producer, count })
    }

    fn compression(&self) -> i16 {
        self.attributes & 0b111
    }

    fn has_append_time(&self) -> bool {
        self.attributes & 0b1000 != 0
    }

    fn is_transactional(&self) -> bool {
        self.attributes & 0b1_0000 != 0
    }

    fn is_control(&self) -> bool {
        self.attributes & 0b10_0000 != 0
    }

    fn records(&self, mut bytes: Bytes) -> Result<Vec<LogRecord>, String> {
        if self.compression() != 0 {
            return Err("compressed records".to_owned());
        }
        if bytes.len() / SMALLEST_RECORD < self.count {
            return Err(format!("{} records in {} bytes", self.count, bytes.len()));
        }
        (0..self.count).map(|_| self.record(&mut bytes).map_err(|error| error.to_string())).collect()
    }

    fn record(&self, bytes: &mut Bytes) -> Result<LogRecord, TryGetError> {
        let mut bytes = take(bytes)?.unwrap_or_default();
        bytes.try_get_u8()?;
        let timestamp_delta = variable(&mut bytes)?;
        let offset_delta = variable(&mut bytes)?;
        let timestamp = if self.has_append_time() {
            self.newest_timestamp
        } else {
            self.first_timestamp.saturating_add(timestamp_delta)
        };
        Ok(LogRecord {
            offset: self.first_offset.saturating_add(offset_delta),
            timestamp: Timestamp(timestamp),
            key: take(&mut bytes)?,
            value: take(&mut bytes)?,
        })
    }
}

/// A length and so many bytes; a negative length is null.
fn take(bytes: &mut Bytes) -> Result<Option<Bytes>, TryGetError> {
    let Ok(length) = usize::try_from(variable(bytes)?) else { return Ok(None) };
    if bytes.len() < length {
        return Err(TryGetError { requested: length, available: bytes.len() });
    }
    Ok(Some(bytes.split_to(length)))
}

/// A number in seven bits of each byte, the lowest first, with the sign in the lowest bit.
fn variable(bytes: &mut Bytes) -> Result<i64, TryGetError> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let byte = bytes.try_get_u8()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 || 56 < shift {
            break;
        }
        shift += 7;
    }
    let [half, sign] = [value >> 1, value & 1].map(u64::cast_signed);
    Ok(half ^ -sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Lease = Lease { id: String::new(), producer_id: 7, epoch: 0, sequences: BTreeMap::new() };

    fn record(key: Option<&str>, value: &str) -> NewRecord {
        let bytes = |it: &str| Bytes::from(it.to_owned());
        NewRecord { key: key.map(bytes), value: Some(bytes(value)), timestamp: Some(Timestamp(1_000)) }
    }

    /// A batch as a broker keeps it: with its offset, and with bits of attributes set.
    fn batch(offset: i64, records: &[NewRecord], attributes: u8) -> Vec<u8> {
        let mut bytes = encode(&LEASE, 0, records).unwrap().to_vec();
        bytes[..8].copy_from_slice(&offset.to_be_bytes());
        bytes[22] |= attributes;
        bytes
    }

    fn marker(offset: i64, is_commit: bool) -> Vec<u8> {
        let key = Bytes::from(vec![0, 0, 0, u8::from(is_commit)]);
        batch(offset, &[NewRecord { key: Some(key), ..NewRecord::default() }], 0b10_0000)
    }

    fn read(from: i64, bytes: &[Vec<u8>], aborted: &[(i64, i64)]) -> LogRead {
        let mut read = LogRead { next: from, ..LogRead::default() };
        decode(&mut read, bytes.concat().into(), aborted);
        read
    }

    fn values(read: &LogRead) -> Vec<(i64, &str)> {
        let value = |it: &LogRecord| std::str::from_utf8(it.value.as_ref().unwrap()).unwrap().to_owned().leak() as &str;
        read.records.iter().map(|it| (it.offset, value(it))).collect()
    }

    #[test]
    fn what_the_codec_writes_is_read() {
        let records = [record(Some("k"), "a"), NewRecord { value: None, ..record(Some("l"), "") }];
        let read = read(0, &[batch(5, &records, 0)], &[]);
        assert_eq!(read.next, 7);
        assert_eq!(read.unreadable, []);
        let [first, second] = &read.records[..] else { panic!("{read:?}") };
        assert_eq!((first.offset, first.timestamp), (5, Timestamp(1_000)));
        assert_eq!((first.key.as_deref(), first.value.as_deref()), (Some(&b"k"[..]), Some(&b"a"[..])));
        assert_eq!((second.offset, second.value.as_deref()), (6, None));
    }

    #[test]
    fn the_time_of_appending_is_the_batchs() {
        let mut bytes = batch(0, &[record(None, "a")], 0b1000);
        bytes[35..43].copy_from_slice(&2_000_i64.to_be_bytes());
        assert_eq!(read(0, &[bytes], &[]).records[0].timestamp, Timestamp(2_000));
    }

    #[test]
    fn aborted_transactions_and_markers_are_left_out() {
        let log = [
            batch(0, &[record(None, "a")], 0),
            marker(1, true),
            batch(2, &[record(None, "b"), record(None, "c")], 0),
            marker(4, false),
            batch(5, &[record(None, "d")], 0),
            marker(6, true),
        ];
        let read = read(0, &log, &[(7, 2)]);
        assert_eq!(values(&read), [(0, "a"), (5, "d")]);
        assert_eq!(read.next, 7);
    }

    #[test]
    fn reading_in_the_middle_of_a_batch_gives_the_rest() {
        let log = [batch(0, &[record(None, "a"), record(None, "b")], 0)];
        assert_eq!(values(&read(1, &log, &[])), [(1, "b")]);
    }

    #[test]
    fn a_batch_of_which_the_end_was_compacted_away_is_passed() {
        let mut bytes = batch(0, &[record(None, "a")], 0);
        bytes[23..27].copy_from_slice(&9_i32.to_be_bytes());
        let read = read(0, &[bytes], &[]);
        assert_eq!((values(&read), read.next), (vec![(0, "a")], 10));
    }

    #[test]
    fn a_batch_that_the_answer_cuts_is_left_for_the_next() {
        let mut cut = batch(1, &[record(None, "b")], 0);
        cut.pop();
        let read = read(0, &[batch(0, &[record(None, "a")], 0), cut], &[]);
        assert_eq!((values(&read), read.next), (vec![(0, "a")], 1));
    }

    #[test]
    fn compressed_and_old_batches_are_told_and_passed() {
        let mut old = batch(1, &[record(None, "b")], 0);
        old[MAGIC] = 1;
        let log = [batch(0, &[record(None, "a")], 0b100), old, batch(2, &[record(None, "c")], 0)];
        let read = read(0, &log, &[]);
        assert_eq!(values(&read), [(2, "c")]);
        let offsets: Vec<i64> = read.unreadable.iter().map(|(offset, _)| *offset).collect();
        assert_eq!((offsets, read.next), (vec![0, 1], 3));
    }

    #[test]
    fn bytes_of_every_kind_are_read_without_a_panic() {
        arbtest::arbtest(|input| {
            let mut bytes = batch(0, &[record(Some("key"), "value")], 0);
            for _ in 0..input.int_in_range(0..=4)? {
                let at = input.choose_index(bytes.len())?;
                bytes[at] = input.arbitrary()?;
            }
            read(0, &[bytes, input.arbitrary()?], &[(7, 0)]);
            Ok(())
        });
    }
}
