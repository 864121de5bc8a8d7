//! Values in msgpack, as Terraform sends and expects them (its document "Wire Format for Terraform Objects").
//!
//! An unknown value is an extension of code 0, or of code 12 with what is known of it. A number is an integer, a float
//! or a decimal text. A dynamic value is a pair of its type, as JSON, and itself.

use std::collections::BTreeMap;

use rmp::{Marker, encode};

use crate::framework::{CodecError, Number, Refinement, Step, Type, Value};

/// Writes a value of type `ty`.
pub fn to_msgpack(value: &Value, ty: &Type) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(256);
    write(&mut bytes, value, ty)?;
    Ok(bytes)
}

/// Reads a value of type `ty`.
pub fn from_msgpack(bytes: &[u8], ty: &Type) -> Result<Value, CodecError> {
    let mut reader = Reader(bytes);
    let value = reader.value(ty)?;
    if reader.0.is_empty() { Ok(value) } else { Err(CodecError::new("bytes after the value")) }
}

/// Writing to a vector cannot fail.
const INFALLIBLE: &str = "a vector takes all bytes";

fn write(to: &mut Vec<u8>, value: &Value, ty: &Type) -> Result<(), CodecError> {
    match (value, ty) {
        (Value::Null, _) => encode::write_nil(to).expect(INFALLIBLE),
        (Value::Unknown(None), _) => to.extend([0xd4, 0, 0]),
        (Value::Unknown(Some(refinement)), _) => write_refinement(to, refinement),
        (Value::Dynamic(it), Type::Dynamic) => {
            encode::write_array_len(to, 2).expect(INFALLIBLE);
            encode::write_bin(to, it.0.to_json().to_string().as_bytes()).expect(INFALLIBLE);
            write(to, &it.1, &it.0)?;
        }
        (Value::Bool(it), Type::Bool) => encode::write_bool(to, *it).expect(INFALLIBLE),
        (Value::Number(it), Type::Number) => write_number(to, it),
        (Value::String(it), Type::String) => encode::write_str(to, it).expect(INFALLIBLE),
        (Value::List(items), Type::List(of)) | (Value::Set(items), Type::Set(of)) => {
            encode::write_array_len(to, length(items.len())?).expect(INFALLIBLE);
            for (at, it) in items.iter().enumerate() {
                write(to, it, of).map_err(|error| error.under(Step::Index(at)))?;
            }
        }
        (Value::List(items), Type::Tuple(of)) if items.len() == of.len() => {
            encode::write_array_len(to, length(items.len())?).expect(INFALLIBLE);
            for (at, (it, of)) in items.iter().zip(of).enumerate() {
                write(to, it, of).map_err(|error| error.under(Step::Index(at)))?;
            }
        }
        (Value::Map(entries), Type::Map(of)) => {
            encode::write_map_len(to, length(entries.len())?).expect(INFALLIBLE);
            for (key, it) in entries {
                encode::write_str(to, key).expect(INFALLIBLE);
                write(to, it, of).map_err(|error| error.under(Step::Key(key.clone())))?;
            }
        }
        (Value::Object(attributes), Type::Object(of)) if attributes.keys().all(|it| of.contains_key(it)) => {
            encode::write_map_len(to, length(of.len())?).expect(INFALLIBLE);
            for (name, of) in of {
                encode::write_str(to, name).expect(INFALLIBLE);
                let it = attributes.get(name).unwrap_or(&Value::Null);
                write(to, it, of).map_err(|error| error.under(Step::Attribute(name.clone())))?;
            }
        }
        (value, _) => return Err(CodecError::new(format!("{} does not fit its type", value.kind()))),
    }
    Ok(())
}

fn length(length: usize) -> Result<u32, CodecError> {
    u32::try_from(length).map_err(|_| CodecError::new("more than 2^32 elements"))
}

fn write_number(to: &mut Vec<u8>, number: &Number) {
    match number {
        Number::Int(it) => {
            encode::write_sint(to, *it).expect(INFALLIBLE);
        }
        Number::Decimal(it) => encode::write_str(to, it).expect(INFALLIBLE),
    }
}

fn write_refinement(to: &mut Vec<u8>, refinement: &Refinement) {
    let Refinement { null, prefix, min, max, min_length, max_length } = refinement;
    let mut body = Vec::new();
    let mut count = 0;
    let mut entry = |body: &mut Vec<u8>, key: i64| {
        count += 1;
        encode::write_sint(body, key).expect(INFALLIBLE);
    };
    if let Some(null) = null {
        entry(&mut body, 1);
        encode::write_bool(&mut body, *null).expect(INFALLIBLE);
    }
    if let Some(prefix) = prefix {
        entry(&mut body, 2);
        encode::write_str(&mut body, prefix).expect(INFALLIBLE);
    }
    for (key, bound) in [(3, min), (4, max)] {
        if let Some((number, inclusive)) = bound {
            entry(&mut body, key);
            encode::write_array_len(&mut body, 2).expect(INFALLIBLE);
            write_number(&mut body, number);
            encode::write_bool(&mut body, *inclusive).expect(INFALLIBLE);
        }
    }
    for (key, bound) in [(5, min_length), (6, max_length)] {
        if let Some(length) = bound {
            entry(&mut body, key);
            encode::write_sint(&mut body, *length).expect(INFALLIBLE);
        }
    }
    let mut payload = Vec::with_capacity(body.len() + 1);
    encode::write_map_len(&mut payload, count).expect(INFALLIBLE);
    payload.append(&mut body);
    encode::write_ext_meta(to, length(payload.len()).expect("a refinement is small"), 12).expect(INFALLIBLE);
    to.append(&mut payload);
}

fn read_bool(marker: Marker) -> Result<bool, CodecError> {
    match marker {
        Marker::True => Ok(true),
        Marker::False => Ok(false),
        _ => Err(CodecError::new("not a bool")),
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn value(&mut self, ty: &Type) -> Result<Value, CodecError> {
        let marker = self.marker()?;
        if marker == Marker::Null {
            return Ok(Value::Null);
        }
        if let Some(length) = self.extension(marker)? {
            return self.unknown(length);
        }
        match ty {
            Type::Bool => read_bool(marker).map(Value::Bool),
            Type::Number => self.number(marker).map(Value::Number),
            Type::String => self.text(marker).map(Value::String),
            Type::Dynamic => self.dynamic(marker),
            Type::List(of) => self.items(marker, of).map(Value::List),
            Type::Set(of) => self.items(marker, of).map(Value::set),
            Type::Map(of) => {
                let mut entries = BTreeMap::new();
                for _ in 0..self.map(marker)? {
                    let key = self.key()?;
                    let value = self.value(of).map_err(|error| error.under(Step::Key(key.clone())))?;
                    entries.insert(key, value);
                }
                Ok(Value::Map(entries))
            }
            Type::Tuple(of) => {
                if self.array(marker)? != of.len() {
                    return Err(CodecError::new("a tuple of another length"));
                }
                let item = |(at, of)| self.value(of).map_err(|error| error.under(Step::Index(at)));
                Ok(Value::List(of.iter().enumerate().map(item).collect::<Result<_, _>>()?))
            }
            Type::Object(of) => {
                let mut attributes: BTreeMap<String, Value> = BTreeMap::new();
                for _ in 0..self.map(marker)? {
                    let name = self.key()?;
                    let Some(of) = of.get(&name) else {
                        return Err(CodecError::new(format!("an attribute `{name}` that the schema does not have")));
                    };
                    let value = self.value(of).map_err(|error| error.under(Step::Attribute(name.clone())))?;
                    attributes.insert(name, value);
                }
                for name in of.keys() {
                    if !attributes.contains_key(name) {
                        attributes.insert(name.clone(), Value::Null);
                    }
                }
                Ok(Value::Object(attributes))
            }
        }
    }

    fn items(&mut self, marker: Marker, of: &Type) -> Result<Vec<Value>, CodecError> {
        let length = self.array(marker)?;
        (0..length).map(|at| self.value(of).map_err(|error| error.under(Step::Index(at)))).collect()
    }

    fn dynamic(&mut self, marker: Marker) -> Result<Value, CodecError> {
        if self.array(marker)? != 2 {
            return Err(CodecError::new("a dynamic value is a pair of type and value"));
        }
        let marker = self.marker()?;
        let length = match marker {
            Marker::Bin8 => usize::from(self.uint::<1>()?[0]),
            Marker::Bin16 => usize::from(u16::from_be_bytes(self.uint()?)),
            Marker::Bin32 => u32::from_be_bytes(self.uint()?) as usize,
            _ => return Err(CodecError::new("a type is bytes")),
        };
        let no_type = |_| CodecError::new("bytes that are no type");
        let json =
            serde_json::from_slice(self.bytes(length)?).map_err(|_| CodecError::new("bytes that are no type"))?;
        let ty = Type::from_json(&json).map_err(no_type)?;
        Ok(match self.value(&ty)? {
            Value::Null => Value::Null,
            value => Value::Dynamic(Box::new((ty, value))),
        })
    }

    /// Reads an unknown value's extension, `length` bytes after its code.
    fn unknown(&mut self, length: usize) -> Result<Value, CodecError> {
        let code = self.uint::<1>()?[0];
        let mut payload = Reader(self.bytes(length)?);
        if code != 12 {
            return Ok(Value::UNKNOWN);
        }
        let mut refinement = Refinement::default();
        let marker = payload.marker()?;
        for _ in 0..payload.map(marker)? {
            let marker = payload.marker()?;
            let key = payload.number(marker)?;
            let marker = payload.marker()?;
            match key.as_i64() {
                Some(1) => refinement.null = Some(read_bool(marker)?),
                Some(2) => refinement.prefix = Some(payload.text(marker)?),
                Some(3) => refinement.min = Some(payload.bound(marker)?),
                Some(4) => refinement.max = Some(payload.bound(marker)?),
                Some(5) => refinement.min_length = payload.number(marker)?.as_i64(),
                Some(6) => refinement.max_length = payload.number(marker)?.as_i64(),
                // A later Terraform may know more of an unknown value; less is true as well. What follows cannot be
                // skipped without knowing its form, and nothing of the payload is needed after it.
                _ => return Ok(Value::Unknown(Some(Box::new(refinement)))),
            }
        }
        Ok(Value::Unknown(Some(Box::new(refinement))))
    }

    fn bound(&mut self, marker: Marker) -> Result<(Number, bool), CodecError> {
        if self.array(marker)? != 2 {
            return Err(CodecError::new("a bound is a pair"));
        }
        let marker = self.marker()?;
        let number = self.number(marker)?;
        let marker = self.marker()?;
        Ok((number, read_bool(marker)?))
    }

    fn number(&mut self, marker: Marker) -> Result<Number, CodecError> {
        let wrong = |_| CodecError::new("not a number");
        Ok(match marker {
            Marker::FixPos(it) => Number::Int(it.into()),
            Marker::FixNeg(it) => Number::Int(it.into()),
            Marker::U8 => Number::Int(self.uint::<1>()?[0].into()),
            Marker::U16 => Number::Int(u16::from_be_bytes(self.uint()?).into()),
            Marker::U32 => Number::Int(u32::from_be_bytes(self.uint()?).into()),
            Marker::U64 => u64::from_be_bytes(self.uint()?).into(),
            Marker::I8 => Number::Int(i8::from_be_bytes(self.uint()?).into()),
            Marker::I16 => Number::Int(i16::from_be_bytes(self.uint()?).into()),
            Marker::I32 => Number::Int(i32::from_be_bytes(self.uint()?).into()),
            Marker::I64 => Number::Int(i64::from_be_bytes(self.uint()?)),
            Marker::F32 => Number::from_f64(f32::from_be_bytes(self.uint()?).into()).map_err(wrong)?,
            Marker::F64 => Number::from_f64(f64::from_be_bytes(self.uint()?)).map_err(wrong)?,
            other => self.text(other)?.parse().map_err(wrong)?,
        })
    }

    fn text(&mut self, marker: Marker) -> Result<String, CodecError> {
        let length = match marker {
            Marker::FixStr(it) => it.into(),
            Marker::Str8 => self.uint::<1>()?[0].into(),
            Marker::Str16 => u16::from_be_bytes(self.uint()?).into(),
            Marker::Str32 => u32::from_be_bytes(self.uint()?) as usize,
            _ => return Err(CodecError::new("not a string")),
        };
        let bytes = self.bytes(length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| CodecError::new("a string that is not UTF-8"))
    }

    fn key(&mut self) -> Result<String, CodecError> {
        let marker = self.marker()?;
        self.text(marker)
    }

    fn array(&mut self, marker: Marker) -> Result<usize, CodecError> {
        match marker {
            Marker::FixArray(it) => Ok(it.into()),
            Marker::Array16 => Ok(u16::from_be_bytes(self.uint()?).into()),
            Marker::Array32 => Ok(u32::from_be_bytes(self.uint()?) as usize),
            _ => Err(CodecError::new("not a list")),
        }
    }

    fn map(&mut self, marker: Marker) -> Result<usize, CodecError> {
        match marker {
            Marker::FixMap(it) => Ok(it.into()),
            Marker::Map16 => Ok(u16::from_be_bytes(self.uint()?).into()),
            Marker::Map32 => Ok(u32::from_be_bytes(self.uint()?) as usize),
            _ => Err(CodecError::new("not a map")),
        }
    }

    /// The length of an extension's payload, if the marker begins one.
    fn extension(&mut self, marker: Marker) -> Result<Option<usize>, CodecError> {
        Ok(Some(match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => self.uint::<1>()?[0].into(),
            Marker::Ext16 => u16::from_be_bytes(self.uint()?).into(),
            Marker::Ext32 => u32::from_be_bytes(self.uint()?) as usize,
            _ => return Ok(None),
        }))
    }

    fn marker(&mut self) -> Result<Marker, CodecError> {
        Ok(Marker::from_u8(self.uint::<1>()?[0]))
    }

    fn uint<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let bytes = self.bytes(N)?;
        Ok(bytes.try_into().expect("as many bytes as were asked for"))
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let Some((bytes, rest)) = self.0.split_at_checked(length) else {
            return Err(CodecError::new("the value ends too early"));
        };
        self.0 = rest;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::codec::arbitrary;

    #[test]
    fn every_value_survives_the_way_there_and_back() {
        arbtest::arbtest(|u| {
            let ty = arbitrary::ty(u, 3)?;
            let value = arbitrary::value(u, &ty, true)?;
            let bytes = to_msgpack(&value, &ty).unwrap();
            assert_eq!(from_msgpack(&bytes, &ty).unwrap(), value, "{ty:?}");
            Ok(())
        });
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        arbtest::arbtest(|u| {
            let ty = arbitrary::ty(u, 3)?;
            let bytes: Vec<u8> = u.arbitrary()?;
            let _: Result<Value, CodecError> = from_msgpack(&bytes, &ty);
            Ok(())
        });
    }

    #[test]
    fn unknown_is_written_as_go_writes_it() {
        assert_eq!(to_msgpack(&Value::UNKNOWN, &Type::String).unwrap(), [0xd4, 0, 0]);
        // Any extension is unknown, whatever its code and payload.
        assert_eq!(from_msgpack(&[0xd5, 3, 1, 2], &Type::Bool).unwrap(), Value::UNKNOWN);
    }

    #[test]
    fn floats_and_texts_are_numbers() {
        let check = |bytes: &[u8], expected: &str| {
            assert_eq!(from_msgpack(bytes, &Type::Number).unwrap(), Value::Number(expected.parse().unwrap()));
        };
        check(&[0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0], "0.5");
        check(b"\xa30.1", "0.1");
        check(&[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "18446744073709551615");
    }

    #[test]
    fn wrong_parts_are_told_by_their_path() {
        let ty = Type::Object([("a".to_owned(), Type::Map(Box::new(Type::Bool)))].into());
        let error = from_msgpack(b"\x81\xa1a\x81\xa1k\xa1x", &ty).unwrap_err();
        assert_eq!(error.to_string(), r#"not a bool at `a["k"]`"#);
    }
}
