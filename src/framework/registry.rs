//! What a provider supplies, as visible lists.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use crate::framework::{
    Call, DataSource, Diagnostic, Diagnostics, DynResource, Failure, Function, FunctionError, Phase, Private, Resource,
    Schema, Signature, Timeout, Type, Value, check, decode, encode,
    managed::{Answer, Managed, validated},
    schema,
};

/// The resources, data sources and functions of a provider.
pub struct Registry<C> {
    /// Resources by name, without the prefix.
    pub resources: BTreeMap<&'static str, Box<dyn DynResource<C>>>,
    /// Data sources by name, without the prefix.
    pub data_sources: BTreeMap<&'static str, Box<dyn DynDataSource<C>>>,
    /// Functions by name.
    pub functions: BTreeMap<&'static str, Box<dyn DynFunction>>,
}

impl<C> fmt::Debug for Registry<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resources, data_sources, functions } = self;
        f.debug_struct("Registry")
            .field("resources", &resources.keys())
            .field("data_sources", &data_sources.keys())
            .field("functions", &functions.keys())
            .finish()
    }
}

impl<C> Default for Registry<C> {
    fn default() -> Self {
        Self { resources: BTreeMap::new(), data_sources: BTreeMap::new(), functions: BTreeMap::new() }
    }
}

impl<C: Send + Sync + 'static> Registry<C> {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a resource.
    pub fn resource<R: Resource<C>>(mut self) -> Self {
        let resource = Managed::<R>::new::<C>();
        sound(R::NAME, DynResource::<C>::schema(&resource));
        let twice = self.resources.insert(R::NAME, Box::new(resource));
        assert!(twice.is_none(), "resource `{}` is registered twice", R::NAME);
        self
    }

    /// With a data source.
    pub fn data_source<D: DataSource<C>>(mut self) -> Self {
        let schema = schema::<D::Model>();
        sound(D::NAME, &schema);
        let data_source = Looked::<D> { ty: schema.ty(), schema, data_source: PhantomData };
        let twice = self.data_sources.insert(D::NAME, Box::new(data_source));
        assert!(twice.is_none(), "data source `{}` is registered twice", D::NAME);
        self
    }

    /// With a function.
    pub fn function<F: Function>(mut self) -> Self {
        let twice = self.functions.insert(F::NAME, Box::new(Called::<F>(F::signature(), PhantomData)));
        assert!(twice.is_none(), "function `{}` is registered twice", F::NAME);
        self
    }
}

fn sound(name: &str, schema: &Schema) {
    debug_assert!(check::schema(schema).is_empty(), "`{name}`: {:?}", check::schema(schema));
}

/// A data source behind one vtable, for the server.
pub trait DynDataSource<C>: Send + Sync {
    /// Type name without the provider's prefix.
    fn name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> &Schema;
    /// The type of the states.
    fn ty(&self) -> &Type;
    /// What is wrong with a configuration by itself.
    fn validate(&self, config: Value) -> Diagnostics;
    /// Looks.
    fn read<'a>(&'a self, ctx: &'a C, config: Value) -> Answer<'a, (Value, Diagnostics)>;
}

struct Looked<D> {
    schema: Schema,
    ty: Type,
    data_source: PhantomData<fn() -> D>,
}

impl<C: Sync, D: DataSource<C>> DynDataSource<C> for Looked<D> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn ty(&self) -> &Type {
        &self.ty
    }

    fn validate(&self, config: Value) -> Diagnostics {
        validated(&self.schema, config, D::validate)
    }

    fn read<'a>(&'a self, ctx: &'a C, config: Value) -> Answer<'a, (Value, Diagnostics)> {
        Box::pin(async move {
            let mut call = Call::new(Phase::Apply, Private::default(), Timeout::of(&config, "read"));
            let res = match decode(config) {
                Ok(model) => D::read(ctx, model, &mut call).await.map_err(Failure::told),
                Err(wrong) => Err(wrong),
            };
            match res {
                Ok(model) => {
                    let state = encode(model);
                    if !state.is_wholly_known() {
                        call.report.push(Diagnostic::bug("A value of a data source is unknown."));
                    }
                    (state, call.report)
                }
                Err(wrong) => {
                    call.report.append(wrong);
                    (Value::Null, call.report)
                }
            }
        })
    }
}

/// A function behind one vtable, for the server.
pub trait DynFunction: Send + Sync {
    /// One sentence.
    fn summary(&self) -> &'static str;
    /// Description, in Markdown.
    fn doc(&self) -> &'static str;
    /// What it takes and gives.
    fn signature(&self) -> &Signature;
    /// Computes.
    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError>;
}

struct Called<F>(Signature, PhantomData<fn() -> F>);

impl<F: Function> DynFunction for Called<F> {
    fn summary(&self) -> &'static str {
        F::SUMMARY
    }

    fn doc(&self) -> &'static str {
        F::DOC
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        F::call(arguments)
    }
}
