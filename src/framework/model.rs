//! Models: one struct per resource, from which schema, decoder and encoder are read by one visit.
//!
//! The field's type says who may set it ([`Required`], [`Optional`], [`Computed`], [`OptionalComputed`]) or that it is
//! a block ([`Block`]); its parameter is a domain type that parses itself ([`Attribute`]); `#[attr(…)]` is a list of
//! method calls on [`About`]. So a contradiction, such as a required attribute with a default, does not compile.

use std::{collections::BTreeMap, marker::PhantomData};

use crate::framework::{
    Attribute, AttributeSchema, BlockSchema, DefaultValue, Diagnostics, FieldSchema, Kind, Mode, Nesting, Schema, Step,
    Value,
};

/// A struct whose fields are attributes and blocks. Derive it; the derive only writes the call list of `visit`.
pub trait Model: Default + Send + Sync + 'static {
    /// Description of the whole, in Markdown.
    const DOC: &'static str;

    /// Calls `visitor` once for each field, in the order of the fields.
    fn visit(&mut self, visitor: &mut dyn Visitor);
}

/// What reads or writes a model.
pub trait Visitor {
    /// Sees one field. `about` builds its schema, which only some visitors need.
    fn field(&mut self, name: &'static str, slot: &mut dyn Slot, about: fn() -> FieldSchema);
}

/// The value of one field.
pub trait Slot {
    /// Takes a value of the field's type.
    fn load(&mut self, value: Value) -> Result<(), Diagnostics>;

    /// Gives the value away, and leaves null.
    fn store(&mut self) -> Value;
}

/// A value that apply will tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not known yet")]
pub struct Unknown;

/// What a slot holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum State<T> {
    #[default]
    Null,
    Unknown,
    Known(T),
}

macro_rules! slots {
    ($($(#[$doc:meta])+ $name:ident)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name<T>(State<T>);

        impl<T> $name<T> {
            /// A value that apply will tell.
            pub fn unknown() -> Self {
                Self(State::Unknown)
            }

            /// Whether there is no value.
            pub fn is_null(&self) -> bool {
                matches!(self.0, State::Null)
            }

            /// The value, if it is there and known.
            pub fn get(&self) -> Option<&T> {
                match &self.0 {
                    State::Known(value) => Some(value),
                    State::Null | State::Unknown => None,
                }
            }

            /// The same value as one that the configuration must set, for an identity.
            pub fn to_required(&self) -> Required<T>
            where
                T: Clone,
            {
                Required(self.0.clone())
            }

            /// The value; none if it is null.
            pub fn known(&self) -> Result<Option<&T>, Unknown> {
                match &self.0 {
                    State::Known(value) => Ok(Some(value)),
                    State::Null => Ok(None),
                    State::Unknown => Err(Unknown),
                }
            }
        }

        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self(State::Null)
            }
        }

        impl<T> From<T> for $name<T> {
            fn from(value: T) -> Self {
                Self(State::Known(value))
            }
        }

        impl<T> From<Option<T>> for $name<T> {
            fn from(value: Option<T>) -> Self {
                Self(value.map_or(State::Null, State::Known))
            }
        }

        impl<T: Attribute> Slot for $name<T> {
            fn load(&mut self, value: Value) -> Result<(), Diagnostics> {
                self.0 = match value {
                    Value::Null => State::Null,
                    Value::Unknown(_) => State::Unknown,
                    part if !T::IN_PARTS && !part.is_wholly_known() => State::Unknown,
                    known => State::Known(T::from_value(known)?),
                };
                Ok(())
            }

            fn store(&mut self) -> Value {
                match std::mem::take(&mut self.0) {
                    State::Null => Value::Null,
                    State::Unknown => Value::UNKNOWN,
                    State::Known(value) => value.into_value(),
                }
            }
        }

        impl<T: Attribute> Field for $name<T> {
            fn schema(doc: &'static str) -> FieldSchema {
                FieldSchema::Attribute(AttributeSchema::new(T::kind(), Mode::$name, doc))
            }
        }

        impl<T: Attribute> AttributeField for $name<T> {}
    )+};
}

slots! {
    /// The configuration must set it.
    Required
    /// The configuration may set it; it is null otherwise.
    Optional
    /// Only the provider sets it.
    Computed
    /// The configuration may set it; the provider does otherwise.
    OptionalComputed
}

impl<T> Required<T> {
    /// The value, which a valid configuration has.
    pub fn value(&self) -> Result<&T, Unknown> {
        self.get().ok_or(Unknown)
    }
}

/// A nested block that can be written once: `name { … }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block<M>(pub Option<M>);

impl<M: Model> Slot for Block<M> {
    fn load(&mut self, value: Value) -> Result<(), Diagnostics> {
        self.0 = if value.is_null() { None } else { Some(decode(value)?) };
        Ok(())
    }

    fn store(&mut self) -> Value {
        self.0.take().map_or(Value::Null, encode)
    }
}

impl<M: Model> Field for Block<M> {
    fn schema(doc: &'static str) -> FieldSchema {
        FieldSchema::Block(BlockSchema { schema: schema::<M>(), nesting: Nesting::Single, doc })
    }
}

/// A nested block that can be written several times, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks<M>(pub Vec<M>);

impl<M: Model> Slot for Blocks<M> {
    fn load(&mut self, value: Value) -> Result<(), Diagnostics> {
        let items = match value {
            Value::Null | Value::Unknown(_) => Vec::new(),
            Value::List(items) => items,
            other => return Err(Diagnostics::mismatch("a list of blocks", &other)),
        };
        let item = |(at, it)| decode(it).map_err(|wrong| wrong.under(&Step::Index(at)));
        self.0 = items.into_iter().enumerate().map(item).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn store(&mut self) -> Value {
        Value::List(std::mem::take(&mut self.0).into_iter().map(encode).collect())
    }
}

impl<M: Model> Field for Blocks<M> {
    fn schema(doc: &'static str) -> FieldSchema {
        FieldSchema::Block(BlockSchema { schema: schema::<M>(), nesting: Nesting::List, doc })
    }
}

/// A slot's type, seen by [`About`].
pub trait Field {
    /// The schema before `#[attr(…)]` has its say.
    fn schema(doc: &'static str) -> FieldSchema;
}

/// Fields that are attributes.
pub trait AttributeField: Field {}

/// Attributes that the configuration can set.
pub trait Configurable: AttributeField {}
impl<T: Attribute> Configurable for Required<T> {}
impl<T: Attribute> Configurable for Optional<T> {}
impl<T: Attribute> Configurable for OptionalComputed<T> {}

/// Attributes that the provider can set.
pub trait Providable: AttributeField {}
impl<T: Attribute> Providable for Computed<T> {}
impl<T: Attribute> Providable for OptionalComputed<T> {}

/// What a field's `#[attr(…)]` says, checked against the field's type.
#[derive(Debug)]
pub struct About<F>(FieldSchema, PhantomData<fn() -> F>);

impl<F: Field> About<F> {
    /// Begins with the description.
    pub fn new(doc: &'static str) -> Self {
        Self(F::schema(doc), PhantomData)
    }
}

impl<F: AttributeField> About<F> {
    fn with(mut self, change: impl FnOnce(&mut AttributeSchema)) -> Self {
        if let FieldSchema::Attribute(attribute) = &mut self.0 {
            change(attribute);
        }
        self
    }

    /// Terraform hides the value in its output.
    pub fn sensitive(self) -> Self {
        self.with(|it| it.sensitive = true)
    }

    /// The attribute should be used no more; `instead` says what should.
    pub fn deprecated(self, instead: &'static str) -> Self {
        self.with(|it| it.deprecated = Some(instead))
    }

    /// An import by identity may leave the attribute out.
    pub fn optional_for_import(self) -> Self {
        self.with(|it| it.optional_for_import = true)
    }
}

impl<F: Configurable> About<F> {
    /// A change replaces the object.
    pub fn requires_replace(self) -> Self {
        self.with(|it| it.requires_replace = true)
    }
}

impl<F: Providable> About<F> {
    /// An update that changes one of these siblings makes the value unknown. Without this it keeps its prior value,
    /// because an unknown value would replace what depends on it.
    pub fn unknown_when(self, siblings: &'static [&'static str]) -> Self {
        self.with(|it| it.unknown_when = siblings)
    }
}

impl<T: Attribute> About<Optional<T>> {
    /// The value is sent and never stored.
    pub fn write_only(self) -> Self {
        self.with(|it| it.write_only = true)
    }
}

impl<T: Attribute> About<OptionalComputed<T>> {
    /// The value whenever the configuration sets none.
    pub fn default(self, value: impl Into<T>) -> Self {
        self.with(|it| it.default = Some(DefaultValue::Always(value.into().into_value())))
    }

    /// The value at creation when the configuration sets none; later the stored one holds.
    pub fn initially(self, value: impl Into<T>) -> Self {
        self.with(|it| it.default = Some(DefaultValue::Initially(value.into().into_value())))
    }
}

impl<F> From<About<F>> for FieldSchema {
    fn from(about: About<F>) -> Self {
        about.0
    }
}

/// Reads the schema of `M`.
pub fn schema<M: Model>() -> Schema {
    struct Read(Schema);
    impl Visitor for Read {
        fn field(&mut self, name: &'static str, _: &mut dyn Slot, about: fn() -> FieldSchema) {
            let twice = match about() {
                FieldSchema::Attribute(it) => self.0.attributes.insert(name, it).is_some(),
                FieldSchema::Block(it) => self.0.blocks.insert(name, it).is_some(),
            };
            assert!(!twice, "field `{name}` is defined twice");
        }
    }
    let mut read = Read(Schema { doc: M::DOC, ..Schema::default() });
    M::default().visit(&mut read);
    read.0
}

/// Reads a model from an object, and reports every wrong attribute at its path. An unknown object is one whose parts
/// are all unknown.
pub fn decode<M: Model>(value: Value) -> Result<M, Diagnostics> {
    let (model, wrong) = decode_parts(value);
    if wrong.0.is_empty() { Ok(model) } else { Err(wrong) }
}

/// Reads what can be read: attributes that are wrong are unknown in the model, so that others can still be judged.
pub(crate) fn decode_parts<M: Model>(value: Value) -> (M, Diagnostics) {
    struct Load {
        attributes: BTreeMap<String, Value>,
        missing: Value,
        wrong: Diagnostics,
    }
    impl Visitor for Load {
        fn field(&mut self, name: &'static str, slot: &mut dyn Slot, _: fn() -> FieldSchema) {
            let value = self.attributes.remove(name).unwrap_or_else(|| self.missing.clone());
            if let Err(wrong) = slot.load(value) {
                self.wrong.append(wrong.under(&Step::Attribute(name.to_owned())));
                // An unknown value is right for every slot.
                let _ = slot.load(Value::UNKNOWN);
            }
        }
    }
    let (attributes, missing) = match value {
        Value::Object(attributes) => (attributes, Value::Null),
        Value::Unknown(_) => (BTreeMap::new(), Value::UNKNOWN),
        other => return (M::default(), Diagnostics::mismatch("an object", &other)),
    };
    let mut model = M::default();
    let mut load = Load { attributes, missing, wrong: Diagnostics::default() };
    model.visit(&mut load);
    (model, load.wrong)
}

/// Writes a model as an object.
pub fn encode<M: Model>(mut model: M) -> Value {
    #[derive(Default)]
    struct Store(BTreeMap<String, Value>);
    impl Visitor for Store {
        fn field(&mut self, name: &'static str, slot: &mut dyn Slot, _: fn() -> FieldSchema) {
            self.0.insert(name.to_owned(), slot.store());
        }
    }
    let mut store = Store::default();
    model.visit(&mut store);
    Value::Object(store.0)
}

/// A model inside another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nested<M> {
    /// Its attributes. All of them are unknown where the object itself is.
    pub model: M,
    unknown: bool,
}

impl<M> From<M> for Nested<M> {
    fn from(model: M) -> Self {
        Self { model, unknown: false }
    }
}

impl<M: Model> Attribute for Nested<M> {
    const IN_PARTS: bool = true;

    fn kind() -> Kind {
        Kind::Nested(Nesting::Single, schema::<M>())
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        let unknown = value.is_unknown();
        Ok(Self { model: decode(value)?, unknown })
    }

    fn into_value(self) -> Value {
        if self.unknown { Value::UNKNOWN } else { encode(self.model) }
    }
}
