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

/// A detail that says which nested attribute it is about: engines that do not find it point at the whole resource.
fn named(path: Option<&Path>, detail: String) -> String {
    let attributes = path.iter().flat_map(|it| it.steps()).filter_map(|it| match it {
        Step::Attribute(name) => Some(name),
        Step::Index(_) | Step::Key(_) | Step::Element => None,
    });
    match (path, attributes.skip(1).last()) {
        (Some(path), Some(name)) if !detail.contains(name.as_str()) => format!("`{path}`: {detail}"),
        _ => detail,
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
    let steps = path.steps().iter().map_while(selector);
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

    #[test]
    fn what_engines_may_not_point_at_is_named() {
        let told = |at: &Path, detail: &str| {
            let told = Diagnostics(vec![Diagnostic::error("Wrong", detail).at(at.clone())]);
            diagnostics(told).remove(0).detail
        };
        let nested = Path::attribute("capacity").then(Step::Attribute("disk_bytes".to_owned()));
        assert_eq!(told(&nested, "`disk_bytes` is -1."), "`disk_bytes` is -1.");
        assert_eq!(told(&nested, "It is -1."), "`capacity.disk_bytes`: It is -1.");
        assert_eq!(told(&Path::attribute("config").key("a"), "No."), "No.");
    }
}
