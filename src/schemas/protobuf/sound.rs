//! What a file of Protobuf must not say, though it can be read: registries may take it, and nobody can use it.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, SourceCodeInfo};

use super::{Malformed, Position, own_types, read, spell_out};

/// Files that programs and registries have without a reference.
const EVERYWHERE: [&str; 5] = ["google/protobuf/", "google/type/", "confluent/", "additionalTypes/", "metadata/"];

/// Numbers in the descriptors of descriptors, which make the way to a place.
const IMPORT: i32 = 3;
const MESSAGE: i32 = 4;
const EXTENSION: i32 = 7;
const FIELD_OF_MESSAGE: i32 = 2;
const MESSAGE_OF_MESSAGE: i32 = 3;
const EXTENSION_OF_MESSAGE: i32 = 6;
const NUMBER_OF_FIELD: i32 = 3;
const TYPE_OF_FIELD: i32 = 6;

/// Looks for imports that are none of the `references`, as far as these are known, for types that nothing defines, and for
/// fields of one message with the same name or number.
pub(in crate::schemas) fn check(text: &str, references: Option<&[&str]>) -> Result<(), Malformed> {
    let mut file = read(text)?;
    let places = Places(file.source_code_info.take().unwrap_or_default());
    let is_everywhere = |import: &str| EVERYWHERE.iter().any(|it| import.starts_with(it));
    for (at, import) in (0..).zip(&file.dependency) {
        if !is_everywhere(import) && references.is_some_and(|it| !it.contains(&import.as_str())) {
            return places
                .fault(&[IMPORT, at], format!("it imports `{import}`, and none of `references` has that name"));
        }
    }
    spell_out(&mut file);
    let whole = Whole { own: own_types(&file), imports: Imports::of(&file), places };
    whole.messages(&file.message_type, &[MESSAGE])?;
    whole.types(&file.extension, &[EXTENSION])
}

/// What types a file may name that it does not define.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Imports {
    /// None.
    Nothing,
    /// Those that come with Protobuf.
    Google,
    /// Whatever other files define.
    Others,
}

impl Imports {
    fn of(file: &FileDescriptorProto) -> Self {
        let is_google = |it: &String| it.starts_with("google/protobuf/");
        if file.dependency.is_empty() {
            Self::Nothing
        } else if file.dependency.iter().all(is_google) {
            Self::Google
        } else {
            Self::Others
        }
    }

    fn may_define(self, name: &str) -> bool {
        self == Self::Others || (self == Self::Google && name.starts_with(".google.protobuf."))
    }
}

struct Whole {
    own: BTreeSet<String>,
    imports: Imports,
    places: Places,
}

impl Whole {
    fn messages(&self, messages: &[DescriptorProto], path: &[i32]) -> Result<(), Malformed> {
        for (at, message) in (0..).zip(messages) {
            let below = |it: i32| [path, &[at, it]].concat();
            let fields = below(FIELD_OF_MESSAGE);
            self.told_apart(&message.field, &fields)?;
            self.types(&message.field, &fields)?;
            self.types(&message.extension, &below(EXTENSION_OF_MESSAGE))?;
            self.messages(&message.nested_type, &below(MESSAGE_OF_MESSAGE))?;
        }
        Ok(())
    }

    fn told_apart(&self, fields: &[FieldDescriptorProto], path: &[i32]) -> Result<(), Malformed> {
        let (mut names, mut numbers) = (BTreeSet::new(), BTreeMap::new());
        for (at, field) in (0..).zip(fields) {
            let name = field.name();
            if !names.insert(name) {
                return self.places.fault(&[path, &[at]].concat(), format!("two fields are called `{name}`"));
            }
            if let Some(other) = numbers.insert(field.number(), name) {
                let what = format!("the field `{name}` has the number {}, as `{other}` has", field.number());
                return self.places.fault(&[path, &[at, NUMBER_OF_FIELD]].concat(), what);
            }
        }
        Ok(())
    }

    fn types(&self, fields: &[FieldDescriptorProto], path: &[i32]) -> Result<(), Malformed> {
        for (at, field) in (0..).zip(fields) {
            for name in field.type_name.iter().chain(&field.extendee) {
                if !self.own.contains(name) && !self.imports.may_define(name) {
                    let what = format!("the type `{}` is not defined, and nothing imports it", &name[1..]);
                    return self.places.fault(&[path, &[at, TYPE_OF_FIELD]].concat(), what);
                }
            }
        }
        Ok(())
    }
}

/// Where everything is written.
struct Places(SourceCodeInfo);

impl Places {
    /// That something is wrong at a place, or around it where that is not known.
    fn fault(&self, path: &[i32], message: String) -> Result<(), Malformed> {
        let span = |path: &[i32]| self.0.location.iter().find(|it| it.path == path).map(|it| &it.span[..]);
        let found = (0..=path.len()).rev().find_map(|length| span(&path[..length]));
        let from_zero = |it: Option<&i32>| it.and_then(|it| usize::try_from(*it).ok()).unwrap_or(0);
        let at = Position {
            line: from_zero(found.and_then(<[i32]>::first)) + 1,
            column: from_zero(found.and_then(|it| it.get(1))) + 1,
        };
        Err(Malformed { at, message })
    }
}
