//! A provider `demo` of things that exist nowhere. What goes wrong with a thing is said by its name.

use std::{
    collections::BTreeMap,
    future,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use serde_json::{Value as Json, json};
use terraform_provider_kafka::framework::{
    Attribute, Block, Blocks, Call, Change, Computed, DataSource, Diagnostic, Diagnostics, Element, Failure, Function,
    FunctionError, Import, Kind, Model, MoveSource, Nested, Optional, OptionalComputed, Parameter, Plan, Provider,
    Registry, Required, Resource, Set, Signature, Timeouts, Type, Value,
};
use tokio::{sync::Notify, task::yield_now, time::sleep};

#[derive(Debug)]
pub(crate) enum Demo {}

/// Settings of the provider.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct Settings {
    /// Where things are.
    pub(crate) endpoint: Optional<String>,
    /// What proves who asks.
    #[attr(sensitive)]
    pub(crate) token: Optional<String>,
}

#[derive(Debug)]
pub(crate) struct Context {
    /// None while it is not known.
    endpoint: Option<String>,
    looks: AtomicI64,
}

impl Context {
    fn endpoint(&self) -> Result<&str, Failure> {
        self.endpoint.as_deref().ok_or_else(|| Failure::Unconfigured("`endpoint` of the provider".to_owned()))
    }
}

impl Provider for Demo {
    const NAME: &'static str = "demo";
    type Settings = Settings;
    type Context = Context;

    fn registry() -> Registry<Context> {
        Registry::new()
            .data_source::<Place>()
            .function::<Repeat>()
            .resource::<Mishap>()
            .resource::<Patience>()
            .resource::<Thing>()
    }

    fn validate(settings: &Settings, report: &mut Diagnostics) {
        if settings.endpoint.get().is_some_and(String::is_empty) {
            report.push(Diagnostic::error("Endpoint is empty", "An endpoint has a name.").at("endpoint"));
        }
    }

    async fn configure(settings: Settings, report: &mut Diagnostics) -> Result<Context, Failure> {
        match settings.endpoint.known() {
            Ok(None) => Err(Diagnostic::error("No endpoint", "Without one there are no things.").at("endpoint").into()),
            Ok(Some(it)) if it == "nowhere" => {
                report.push(Diagnostic::error("Endpoint unknown", "There is no such place."));
                Ok(Context { endpoint: None, looks: AtomicI64::new(0) })
            }
            Ok(Some(it)) => Ok(Context { endpoint: Some(it.clone()), looks: AtomicI64::new(0) }),
            Err(_) => Ok(Context { endpoint: None, looks: AtomicI64::new(0) }),
        }
    }
}

/// A value of any type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Anything(Value);

impl Attribute for Anything {
    fn kind() -> Kind {
        Kind::Plain(Type::Dynamic)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        Ok(Self(value))
    }

    fn into_value(self) -> Value {
        self.0
    }
}

/// A thing, with everything that a schema can have.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct ThingModel {
    /// What it is known by.
    id: Computed<String>,
    /// What it is called. Changing it replaces the thing.
    #[attr(requires_replace)]
    name: Required<String>,
    /// How large it is.
    #[attr(default = 3)]
    size: OptionalComputed<i64>,
    /// How it was made.
    #[attr(initially = "plain")]
    make: OptionalComputed<String>,
    /// Follows from the size.
    #[attr(unknown_when = &["size"])]
    digest: Computed<String>,
    /// What opens it.
    #[attr(sensitive)]
    password: Optional<String>,
    /// What opens it, and is not stored.
    #[attr(sensitive, write_only)]
    password_wo: Optional<String>,
    /// What it was called once.
    #[attr(deprecated = "Use `name`.")]
    title: Optional<String>,
    /// Words about it.
    labels: Optional<BTreeMap<String, Element<String>>>,
    /// Words for it.
    tags: Optional<Set<String>>,
    /// What comes with it.
    extra: Optional<Anything>,
    /// Whose it is.
    owner: Optional<Nested<Person>>,
    /// What it is made of, in order.
    parts: Optional<Vec<Nested<Part>>>,
    /// Who may see it.
    readers: Optional<Set<Nested<Reader>>>,
    /// How much of what it may have.
    limits: Optional<BTreeMap<String, Nested<Limit>>>,
    /// Where it comes from.
    origin: Block<Origin>,
    /// What holds for it.
    rule: Blocks<Rule>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

/// A person.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct Person {
    /// Where letters go.
    email: Required<String>,
    /// Whether letters arrive.
    verified: Computed<bool>,
    /// What only the person knows.
    #[attr(write_only)]
    pin_wo: Optional<i64>,
}

/// A part.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct Part {
    /// Its name.
    #[attr(requires_replace)]
    key: Required<String>,
    /// How many.
    #[attr(default = 1)]
    count: OptionalComputed<i32>,
}

/// A reader.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct Reader {
    /// The name.
    name: Required<String>,
    /// The age.
    age: Optional<i16>,
}

/// A limit.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct Limit {
    /// The most.
    most: Required<i64>,
}

/// An origin.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct Origin {
    /// The country.
    country: Optional<String>,
    /// What opens the border.
    #[attr(write_only)]
    visa_wo: Optional<String>,
}

/// A rule.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct Rule {
    /// What it permits.
    allow: Required<String>,
}

/// What tells a thing from all others.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct ThingIdentity {
    /// Its name.
    name: Required<String>,
    /// The place, if it is not the usual one.
    #[attr(optional_for_import)]
    place: Optional<String>,
}

#[derive(Debug)]
pub(crate) enum Thing {}

fn told(summary: &str) -> Failure {
    Diagnostic::error(summary, "So says the test.").into()
}

impl ThingModel {
    fn called(name: &str) -> Self {
        Self { name: name.to_owned().into(), ..Self::default() }
    }

    fn is(&self, name: &str) -> bool {
        self.name.get().is_some_and(|it| it == name)
    }

    /// Everything that a plan leaves open.
    fn completed(mut self) -> Self {
        let name = self.name.get().cloned().unwrap_or_default();
        let size = self.size.get().copied().unwrap_or(3);
        self.id = format!("id of {name}").into();
        self.digest = format!("#{size}").into();
        self.size = size.into();
        if let Ok(Some(owner)) = self.owner.known().map(Option::<&_>::cloned) {
            let verified = true.into();
            self.owner = Nested::from(Person { verified, ..owner.model }).into();
        }
        self
    }
}

impl Resource<Context> for Thing {
    const NAME: &'static str = "thing";
    type Model = ThingModel;
    type Identity = ThingIdentity;

    fn identity(state: &ThingModel) -> ThingIdentity {
        ThingIdentity { name: state.name.clone(), place: "here".to_owned().into() }
    }

    fn validate(config: &ThingModel, report: &mut Diagnostics) {
        if config.size.get().is_some_and(|it| *it < 0) {
            report.push(Diagnostic::error("Size is negative", "It is 0 or more.").at("size"));
        }
        if config.is("odd") {
            report.push(Diagnostic::warning("Name is odd", "It might be misread.").at("name"));
        }
    }

    async fn plan(ctx: &Context, plan: &mut Plan<ThingModel>, call: &mut Call) -> Result<(), Failure> {
        ctx.endpoint()?;
        if plan.replacing {
            call.report.push(Diagnostic::warning("Takes the place of another", "So says the test."));
        }
        Ok(())
    }

    async fn admit(_: &Context, change: &Change<ThingModel>, call: &mut Call) -> Result<(), Failure> {
        let Some(plan) = &change.plan else { return Ok(()) };
        if plan.name.value()? == "forbidden" {
            call.report.push(Diagnostic::error("Name is forbidden", "So says the test.").at("name"));
            call.report.push(Diagnostic::warning("Things are dear", "So says the test."));
        }
        Ok(())
    }

    async fn create(
        _: &Context,
        plan: ThingModel,
        config: &ThingModel,
        call: &mut Call,
    ) -> Result<ThingModel, Failure> {
        call.report.push(Diagnostic::warning("Created", "So says the test."));
        call.private.set("opened with", config.password_wo.get().map_or(Json::Null, |it| json!(it.len())));
        if plan.is("half made") {
            return Err(told("Broke down"));
        }
        if plan.is("complains") {
            call.report.push(Diagnostic::error("Made, but not well", "So says the test."));
        }
        if plan.is("forgetful") {
            return Ok(ThingModel { labels: Optional::default(), ..plan.completed() });
        }
        Ok(plan.completed())
    }

    async fn read(ctx: &Context, state: ThingModel, call: &mut Call) -> Result<Option<ThingModel>, Failure> {
        ctx.endpoint()?;
        if state.is("unreachable") {
            return Err(told("Not reachable"));
        }
        call.private.set("seen", true);
        Ok(if state.is("gone") { None } else { Some(state.completed()) })
    }

    async fn update(
        _: &Context,
        _: ThingModel,
        plan: ThingModel,
        _: &ThingModel,
        call: &mut Call,
    ) -> Result<ThingModel, Failure> {
        call.report.push(Diagnostic::warning("Updated", "So says the test."));
        call.private.set("updated", true);
        if plan.size.get() == Some(&13) { Err(told("Broke down")) } else { Ok(plan.completed()) }
    }

    async fn delete(_: &Context, state: ThingModel, _: &mut Call) -> Result<(), Failure> {
        if state.is("stuck") { Err(told("Is stuck")) } else { Ok(()) }
    }

    async fn import(ctx: &Context, import: Import<ThingIdentity>, call: &mut Call) -> Result<ThingModel, Failure> {
        ctx.endpoint()?;
        call.private.set("imported", true);
        let name = match import {
            Import::Id(id) => id,
            Import::Identity(identity) => identity.name.value()?.clone(),
        };
        if name == "nobody" { Err(told("No such thing")) } else { Ok(ThingModel::called(&name).completed()) }
    }

    fn upgrade(version: i64, state: Json) -> Result<Json, Failure> {
        if version < 99 {
            return Err(told("Too old"));
        }
        Ok(json!({"id": state["id"], "name": state["called"], "labels": state["labels"]}))
    }

    fn move_from(source: &MoveSource) -> Option<Result<ThingModel, Failure>> {
        if source.provider != "registry.terraform.io/other/demo" || source.resource_type != "demo_item" {
            return None;
        }
        Some(source.state["name"].as_str().map(ThingModel::called).ok_or_else(|| told("Has no name")))
    }
}

/// Panics.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct MishapModel {
    /// The operation that panics.
    during: Required<String>,
}

/// What tells a mishap from all others.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct MishapIdentity {
    /// The operation that panics.
    during: Required<String>,
}

/// What no answer may show.
pub(crate) const SECRET: &str = "open sesame";

#[derive(Debug)]
pub(crate) enum Mishap {}

impl Mishap {
    fn unless(model: &MishapModel, operation: &str) {
        assert!(model.during.get().is_none_or(|it| it != operation), "{SECRET}");
    }
}

impl Resource<Context> for Mishap {
    const NAME: &'static str = "mishap";
    type Model = MishapModel;
    type Identity = MishapIdentity;

    fn identity(state: &MishapModel) -> MishapIdentity {
        MishapIdentity { during: state.during.clone() }
    }

    fn validate(config: &MishapModel, _: &mut Diagnostics) {
        Self::unless(config, "validate");
    }

    async fn plan(_: &Context, plan: &mut Plan<MishapModel>, _: &mut Call) -> Result<(), Failure> {
        // It goes on in a later poll than the first.
        yield_now().await;
        Self::unless(&plan.config, "plan");
        Ok(())
    }

    async fn admit(_: &Context, _: &Change<MishapModel>, _: &mut Call) -> Result<(), Failure> {
        Ok(())
    }

    async fn create(_: &Context, plan: MishapModel, _: &MishapModel, _: &mut Call) -> Result<MishapModel, Failure> {
        Self::unless(&plan, "create");
        Ok(plan)
    }

    async fn read(_: &Context, state: MishapModel, _: &mut Call) -> Result<Option<MishapModel>, Failure> {
        Self::unless(&state, "read");
        Ok(Some(state))
    }

    async fn update(
        _: &Context,
        _: MishapModel,
        plan: MishapModel,
        _: &MishapModel,
        _: &mut Call,
    ) -> Result<MishapModel, Failure> {
        Ok(plan)
    }

    async fn delete(_: &Context, _: MishapModel, _: &mut Call) -> Result<(), Failure> {
        Ok(())
    }

    async fn import(_: &Context, _: Import<MishapIdentity>, _: &mut Call) -> Result<MishapModel, Failure> {
        Err(told("Cannot be imported"))
    }
}

/// Takes its time.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct PatienceModel {
    /// How long a create takes, in seconds; null is for ever.
    seconds: Optional<u32>,
}

/// What tells one from all others.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct PatienceIdentity {
    /// How long a create takes.
    #[attr(optional_for_import)]
    seconds: Optional<u32>,
}

/// Told when a create of a `demo_patience` is under way.
pub(crate) static UNDER_WAY: Notify = Notify::const_new();

#[derive(Debug)]
pub(crate) enum Patience {}

impl Resource<Context> for Patience {
    const NAME: &'static str = "patience";
    type Model = PatienceModel;
    type Identity = PatienceIdentity;

    fn identity(state: &PatienceModel) -> PatienceIdentity {
        PatienceIdentity { seconds: state.seconds.clone() }
    }

    async fn admit(_: &Context, _: &Change<PatienceModel>, _: &mut Call) -> Result<(), Failure> {
        Ok(())
    }

    async fn create(
        _: &Context,
        plan: PatienceModel,
        _: &PatienceModel,
        _: &mut Call,
    ) -> Result<PatienceModel, Failure> {
        UNDER_WAY.notify_one();
        match plan.seconds.get() {
            Some(it) => sleep(Duration::from_secs((*it).into())).await,
            None => future::pending().await,
        }
        Ok(plan)
    }

    async fn read(_: &Context, state: PatienceModel, _: &mut Call) -> Result<Option<PatienceModel>, Failure> {
        Ok(Some(state))
    }

    async fn update(
        _: &Context,
        _: PatienceModel,
        plan: PatienceModel,
        _: &PatienceModel,
        _: &mut Call,
    ) -> Result<PatienceModel, Failure> {
        Ok(plan)
    }

    async fn delete(_: &Context, _: PatienceModel, _: &mut Call) -> Result<(), Failure> {
        Ok(())
    }

    async fn import(_: &Context, _: Import<PatienceIdentity>, _: &mut Call) -> Result<PatienceModel, Failure> {
        Err(told("Cannot be imported"))
    }
}

/// A place.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct PlaceModel {
    /// What is looked for.
    wanted: Optional<String>,
    /// Where that was.
    endpoint: Computed<String>,
    /// How often somebody has looked since the provider was configured.
    looks: Computed<i64>,
}

#[derive(Debug)]
pub(crate) enum Place {}

impl DataSource<Context> for Place {
    const NAME: &'static str = "place";
    type Model = PlaceModel;

    fn validate(config: &PlaceModel, report: &mut Diagnostics) {
        if config.wanted.get().is_some_and(String::is_empty) {
            report.push(Diagnostic::error("Nothing is wanted", "So says the test.").at("wanted"));
        }
    }

    async fn read(ctx: &Context, config: PlaceModel, _: &mut Call) -> Result<PlaceModel, Failure> {
        let endpoint = ctx.endpoint()?.to_owned().into();
        if config.wanted.get().is_some_and(|it| it == "paradise") {
            return Err(told("Nothing there"));
        }
        let looks = (ctx.looks.fetch_add(1, Ordering::Relaxed) + 1).into();
        Ok(PlaceModel { endpoint, looks, ..config })
    }
}

#[derive(Debug)]
pub(crate) enum Repeat {}

impl Function for Repeat {
    const NAME: &'static str = "repeat";
    const SUMMARY: &'static str = "Says it again.";
    const DOC: &'static str = "Says a text several times.";

    fn signature() -> Signature {
        Signature {
            parameters: vec![
                Parameter { name: "text", ty: Type::String, doc: "What to say." },
                Parameter { name: "times", ty: Type::Number, doc: "How often." },
            ],
            returns: Type::List(Box::new(Type::String)),
        }
    }

    fn call(arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let [text, Value::Number(times)] = &arguments[..] else { unreachable!("the server knows the signature") };
        let times = times.as_i64().and_then(|it| usize::try_from(it).ok());
        let times = times.ok_or(FunctionError { text: "It cannot be said so often.".to_owned(), argument: Some(1) })?;
        assert!(times < 100, "{SECRET}");
        Ok(Value::List(vec![text.clone(); times]))
    }
}
