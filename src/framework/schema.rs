//! Schemas: what a model's values look like, and how Terraform treats each of them.

use std::collections::BTreeMap;

use crate::framework::{Type, Value};

/// The attributes and blocks of a resource, a data source, a provider or a nested object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// Description of the whole, in Markdown.
    pub doc: &'static str,
    /// What can be set or read with `name = value`.
    pub attributes: BTreeMap<&'static str, AttributeSchema>,
    /// What is written as `name { … }`.
    pub blocks: BTreeMap<&'static str, BlockSchema>,
}

/// Who may set an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The configuration must.
    Required,
    /// The configuration may; it is null otherwise.
    Optional,
    /// Only the provider.
    Computed,
    /// The configuration may; the provider does otherwise.
    OptionalComputed,
}

/// What an attribute's value is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A value that is planned as a whole.
    Plain(Type),
    /// Objects with attributes of their own, planned one by one.
    Nested(Nesting, Schema),
}

/// How nested objects are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One.
    Single,
    /// Ordered.
    List,
    /// Without order or names.
    Set,
    /// By name. Blocks have no such nesting here.
    Map,
}

/// The value that an attribute has when the configuration sets none.
#[derive(Clone, Debug, PartialEq)]
pub enum DefaultValue {
    /// Whenever the configuration sets none.
    Always(Value),
    /// Only when the object is created: what is stored holds when the line disappears from the configuration.
    Initially(Value),
}

/// One attribute.
#[allow(clippy::struct_excessive_bools, reason = "the protocol has these flags, and they are independent")]
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeSchema {
    /// Its value.
    pub kind: Kind,
    /// Who sets it.
    pub mode: Mode,
    /// What the practitioner reads.
    pub doc: &'static str,
    /// What to use instead, if it should be used no more.
    pub deprecated: Option<&'static str>,
    /// Whether Terraform hides it in its output.
    pub sensitive: bool,
    /// Whether it is sent and never stored.
    pub write_only: bool,
    /// Whether a change replaces the object.
    pub requires_replace: bool,
    /// Its default.
    pub default: Option<DefaultValue>,
    /// The siblings whose change makes a computed value unknown; without one it keeps its prior value on an update.
    pub unknown_when: &'static [&'static str],
    /// For an identity: whether an import may leave it out.
    pub optional_for_import: bool,
}

/// One kind of block.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockSchema {
    /// What is in it.
    pub schema: Schema,
    /// How many, and how they are arranged: `Single`, `List` or `Set`.
    pub nesting: Nesting,
    /// What the practitioner reads.
    pub doc: &'static str,
}

/// An attribute or a block.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldSchema {
    /// `name = value`
    Attribute(AttributeSchema),
    /// `name { … }`
    Block(BlockSchema),
}

impl Schema {
    /// The type of the objects that the schema describes.
    pub fn ty(&self) -> Type {
        let attributes = self.attributes.iter().map(|(name, it)| ((*name).to_owned(), it.ty()));
        let blocks = self.blocks.iter().map(|(name, it)| ((*name).to_owned(), it.nesting.ty(it.schema.ty())));
        Type::Object(attributes.chain(blocks).collect())
    }
}

impl AttributeSchema {
    /// An attribute of which nothing else is said.
    pub fn new(kind: Kind, mode: Mode, doc: &'static str) -> Self {
        Self {
            kind,
            mode,
            doc,
            deprecated: None,
            sensitive: false,
            write_only: false,
            requires_replace: false,
            default: None,
            unknown_when: &[],
            optional_for_import: false,
        }
    }

    /// The type of its values.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Plain(ty) => ty.clone(),
            Kind::Nested(nesting, schema) => nesting.ty(schema.ty()),
        }
    }

    /// Whether the configuration can set it.
    pub fn is_configurable(&self) -> bool {
        self.mode != Mode::Computed
    }

    /// Whether the provider can set it.
    pub fn is_computed(&self) -> bool {
        matches!(self.mode, Mode::Computed | Mode::OptionalComputed)
    }
}

impl Nesting {
    fn ty(self, of: Type) -> Type {
        match self {
            Self::Single => of,
            Self::List => Type::List(Box::new(of)),
            Self::Set => Type::Set(Box::new(of)),
            Self::Map => Type::Map(Box::new(of)),
        }
    }
}
