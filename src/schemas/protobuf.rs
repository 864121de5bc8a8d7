//! Protobuf: one file, without the files that it imports.

mod sound;

use std::collections::BTreeSet;

use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::{Malformed, position::Position};
pub(super) use sound::check;

/// Messages deeper in one another than that are refused: readers follow them by recursion.
const DEEPEST: usize = 64;

/// What a file says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct File {
    /// What it defines, in which the names of its own types are spelled in full.
    pub(super) descriptor: FileDescriptorProto,
    /// Its comments, in their order.
    comments: Vec<String>,
}

impl File {
    /// The full names of the messages that are not within others.
    pub(super) fn messages(&self) -> Vec<String> {
        let scope = scope(&self.descriptor);
        self.descriptor.message_type.iter().map(|it| joined(&scope, it.name())[1..].to_owned()).collect()
    }
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<File, Malformed> {
    let mut descriptor = read(text)?;
    let comments = descriptor.source_code_info.take().into_iter().flat_map(|it| it.location).flat_map(|it| {
        let detached = it.leading_detached_comments.into_iter();
        detached.chain(it.leading_comments).chain(it.trailing_comments)
    });
    let comments = comments.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    descriptor.name = None;
    if descriptor.public_dependency.is_empty() && descriptor.weak_dependency.is_empty() {
        descriptor.dependency.sort();
    }
    if descriptor.syntax.is_none() {
        descriptor.syntax = Some("proto2".to_owned());
    }
    spell_out(&mut descriptor);
    Ok(File { descriptor, comments })
}

/// What a text says, as it is written.
fn read(text: &str) -> Result<FileDescriptorProto, Malformed> {
    if let Some(at) = too_deep(text) {
        let message = format!("it is nested more than {DEEPEST} deep");
        return Err(Malformed { at: Position::of_byte(text, at), message });
    }
    protox_parse::parse("schema.proto", text).map_err(|error| {
        // What is missing is missing at the end.
        let at = error.span().map_or(text.len(), |it| it.start);
        Malformed { at: Position::of_byte(text, at), message: error.to_string() }
    })
}

/// Where braces are deeper than is read.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().enumerate().find_map(|(at, byte)| {
        match byte {
            b'{' | b'[' | b'<' | b'(' => depth += 1,
            b'}' | b']' | b'>' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (DEEPEST < depth).then_some(at)
    })
}

fn scope(file: &FileDescriptorProto) -> String {
    file.package.as_deref().filter(|it| !it.is_empty()).map(|it| format!(".{it}")).unwrap_or_default()
}

fn joined(scope: &str, name: &str) -> String {
    format!("{scope}.{name}")
}

/// Spells the names of types in full: a field may name a type of this file by the end of its name.
fn spell_out(file: &mut FileDescriptorProto) {
    let outermost = scope(file);
    let own = own_types(file);
    for message in &mut file.message_type {
        spell_message(message, &outermost, &own);
    }
    for extension in &mut file.extension {
        spell_field(extension, &outermost, &own);
    }
    for method in file.service.iter_mut().flat_map(|it| &mut it.method) {
        spell(&mut method.input_type, &outermost, &own);
        spell(&mut method.output_type, &outermost, &own);
    }
}

/// The full names of the types that a file defines.
fn own_types(file: &FileDescriptorProto) -> BTreeSet<String> {
    let outermost = scope(file);
    let mut res: BTreeSet<String> = file.enum_type.iter().map(|it| joined(&outermost, it.name())).collect();
    for message in &file.message_type {
        collect(message, &outermost, &mut res);
    }
    res
}

fn collect(message: &DescriptorProto, scope: &str, own: &mut BTreeSet<String>) {
    let name = joined(scope, message.name());
    own.extend(message.enum_type.iter().map(|it| joined(&name, it.name())));
    for nested in &message.nested_type {
        collect(nested, &name, own);
    }
    own.insert(name);
}

fn spell_message(message: &mut DescriptorProto, scope: &str, own: &BTreeSet<String>) {
    let name = joined(scope, message.name());
    for field in message.field.iter_mut().chain(&mut message.extension) {
        spell_field(field, &name, own);
    }
    for nested in &mut message.nested_type {
        spell_message(nested, &name, own);
    }
}

fn spell_field(field: &mut FieldDescriptorProto, scope: &str, own: &BTreeSet<String>) {
    spell(&mut field.type_name, scope, own);
    spell(&mut field.extendee, scope, own);
}

/// The innermost scope in which the name is one of this file's is meant. Other names are those of imports.
fn spell(name: &mut Option<String>, scope: &str, own: &BTreeSet<String>) {
    let Some(name) = name.as_mut().filter(|it| !it.starts_with('.')) else { return };
    let mut scope = scope;
    loop {
        let full = joined(scope, name);
        if own.contains(&full) {
            *name = full;
            return;
        }
        let Some((outer, _)) = scope.rsplit_once('.') else { break };
        scope = outer;
    }
    name.insert(0, '.');
}
