//! What goes out, in the words of the protocol.

use bytes::Bytes;

use crate::{
    framework::{
        AttributeSchema, BlockSchema, Diagnostic, Diagnostics, DynFunction, Kind, Mode, Nesting, Parameter, Path,
        Schema, Severity, Step, Type, Value, codec::msgpack::to_msgpack,
    },
    proto::tfplugin6::{
        self, AttributePath, DynamicValue, ResourceIdentityData, ResourceIdentitySchema, StringKind, attribute_path,
        diagnostic, function, resource_identity_schema::IdentityAttribute, schema,
    },
};

/// A value of type `ty`.
pub(super) fn value(value: &Value, ty: &Type) -> Result<Option<DynamicValue>, Diagnostic> {
    match to_msgpack(value, ty) {
        Ok(bytes) => Ok(Some(DynamicValue { msgpack: bytes.into(), ..DynamicValue::default() })),
        Err(error) => Err(Diagnostic::bug(format!("A value cannot be sent: {error}."))),
    }
}

/// An identity of type `ty`; none where it is null.
pub(super) fn identity(identity: &Value, ty: &Type) -> Result<Option<ResourceIdentityData>, Diagnostic> {
    if identity.is_null() {
        return Ok(None);
    }
    value(identity, ty).map(|it| Some(ResourceIdentityData { identity_data: it }))
}

/// What the practitioner is told.
pub(super) fn diagnostics(diagnostics: Diagnostics) -> Vec<tfplugin6::Diagnostic> {
    let diagnostic = |it: Diagnostic| tfplugin6::Diagnostic {
        severity: match it.severity {
            Severity::Error => diagnostic::Severity::Error.into(),
            Severity::Warning => diagnostic::Severity::Warning.into(),
        },
        summary: it.summary,
        detail: named(it.path.as_ref(), it.detail),
        attribute: it.path.as_ref().map(path),
    };
    diagnostics.0.into_iter().map(diagnostic).collect()
}

/// A detail that says which nested attribute it is about, where the path cannot.
fn named(path: Option<&Path>, detail: String) -> String {
    let cut = path.and_then(|it| it.steps().get(pointed_at(it).len()..).map(|cut| (it, cut)));
    let last = cut.and_then(|(path, cut)| {
        let mut names = cut.iter().filter_map(|it| if let Step::Attribute(name) = it { Some(name) } else { None });
        Some((path, names.next_back()?))
    });
    match last {
        Some((path, name)) if !detail.contains(name.as_str()) => format!("`{path}`: {detail}"),
        _ => detail,
    }
}

/// What is written as a block.
const BLOCKS: [&str; 1] = ["timeouts"];

/// The beginning of a path to which engines can point: many of them find attributes of blocks alone, and of what is within
/// an attribute only the element of a map. Where they find nothing they point at the whole resource.
fn pointed_at(path: &Path) -> &[Step] {
    let steps = path.steps();
    let is_block = matches!(steps.first(), Some(Step::Attribute(name)) if BLOCKS.contains(&name.as_str()));
    let deeper = steps.iter().skip(1).position(|it| matches!(it, Step::Attribute(_)));
    match deeper {
        Some(at) if !is_block => &steps[..=at],
        _ => steps,
    }
}

/// A path as far as the protocol has words for it: elements of sets have no names.
pub(super) fn path(path: &Path) -> AttributePath {
    use attribute_path::step::Selector;
    let selector = |step: &Step| match step {
        Step::Attribute(name) => Some(Selector::AttributeName(name.clone())),
        Step::Index(index) => Some(Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX))),
        Step::Key(key) => Some(Selector::ElementKeyString(key.clone())),
        Step::Element => None,
    };
    let steps = pointed_at(path).iter().map_while(selector);
    AttributePath { steps: steps.map(|it| attribute_path::Step { selector: Some(it) }).collect() }
}

/// A schema of this version.
pub(super) fn schema(schema: &Schema, version: i64) -> tfplugin6::Schema {
    tfplugin6::Schema { version, block: Some(schema::Block { version, ..block(schema, schema.doc) }) }
}

fn block(schema: &Schema, doc: &str) -> schema::Block {
    schema::Block {
        attributes: schema.attributes.iter().map(|(name, it)| attribute(name, it)).collect(),
        block_types: schema.blocks.iter().map(|(name, it)| nested_block(name, it)).collect(),
        description: doc.to_owned(),
        description_kind: StringKind::Markdown.into(),
        ..schema::Block::default()
    }
}

fn attribute(name: &str, about: &AttributeSchema) -> schema::Attribute {
    let (ty, nested_type) = match &about.kind {
        Kind::Plain(ty) => (type_bytes(ty), None),
        Kind::Nested(nesting, schema) => (Bytes::new(), Some(object(*nesting, schema))),
    };
    schema::Attribute {
        name: name.to_owned(),
        r#type: ty,
        nested_type,
        description: about.doc.to_owned(),
        description_kind: StringKind::Markdown.into(),
        required: about.mode == Mode::Required,
        optional: matches!(about.mode, Mode::Optional | Mode::OptionalComputed),
        computed: about.is_computed(),
        sensitive: about.sensitive,
        write_only: about.write_only,
        deprecated: about.deprecated.is_some(),
        deprecation_message: about.deprecated.unwrap_or_default().to_owned(),
    }
}

fn object(nesting: Nesting, schema: &Schema) -> schema::Object {
    use schema::object::NestingMode;
    let nesting = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    schema::Object {
        attributes: schema.attributes.iter().map(|(name, it)| attribute(name, it)).collect(),
        nesting: nesting.into(),
        ..schema::Object::default()
    }
}

fn nested_block(name: &str, about: &BlockSchema) -> schema::NestedBlock {
    use schema::nested_block::NestingMode;
    let nesting = match about.nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    schema::NestedBlock {
        type_name: name.to_owned(),
        block: Some(block(&about.schema, about.doc)),
        nesting: nesting.into(),
        ..schema::NestedBlock::default()
    }
}

/// The schema of an identity.
pub(super) fn identity_schema(schema: &Schema, version: i64) -> ResourceIdentitySchema {
    let attribute = |(name, it): (&&str, &AttributeSchema)| IdentityAttribute {
        name: (*name).to_owned(),
        r#type: type_bytes(&it.ty()),
        required_for_import: !it.optional_for_import,
        optional_for_import: it.optional_for_import,
        description: it.doc.to_owned(),
    };
    ResourceIdentitySchema { version, identity_attributes: schema.attributes.iter().map(attribute).collect() }
}

/// What there is to know of a function.
pub(super) fn function(function: &dyn DynFunction) -> tfplugin6::Function {
    let signature = function.signature();
    let parameter = |it: &Parameter| function::Parameter {
        name: it.name.to_owned(),
        r#type: type_bytes(&it.ty),
        description: it.doc.to_owned(),
        description_kind: StringKind::Markdown.into(),
        ..function::Parameter::default()
    };
    tfplugin6::Function {
        parameters: signature.parameters.iter().map(parameter).collect(),
        r#return: Some(function::Return { r#type: type_bytes(&signature.returns) }),
        summary: function.summary().to_owned(),
        description: function.doc().to_owned(),
        description_kind: StringKind::Markdown.into(),
        ..tfplugin6::Function::default()
    }
}

fn type_bytes(ty: &Type) -> Bytes {
    ty.to_json().to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(at: &Path, detail: &str) -> (usize, String) {
        let told = Diagnostics(vec![Diagnostic::error("Wrong", detail).at(at.clone())]);
        let it = diagnostics(told).remove(0);
        (it.attribute.map_or(0, |it| it.steps.len()), it.detail)
    }

    #[test]
    fn engines_are_pointed_at_what_they_find() {
        let nested = Path::attribute("capacity").then(Step::Attribute("disk_bytes".to_owned()));
        assert_eq!(shown(&nested, "`disk_bytes` is -1."), (1, "`disk_bytes` is -1.".to_owned()));
        assert_eq!(shown(&nested, "It is -1."), (1, "`capacity.disk_bytes`: It is -1.".to_owned()));
        let rule = Path::attribute("topics").then(Step::Attribute("config".to_owned())).key("a");
        assert_eq!(shown(&rule, "No `config`.").0, 1);
        assert_eq!(shown(&Path::attribute("config").key("a"), "No."), (2, "No.".to_owned()));
        let block = Path::attribute("timeouts").then(Step::Attribute("create".to_owned()));
        assert_eq!(shown(&block, "No.").0, 2);
        let prefix = Path::attribute("prefixes").then(Step::Attribute("topic".to_owned())).then(Step::Element);
        assert_eq!(shown(&prefix, "No `topic`.").0, 1);
    }
}
