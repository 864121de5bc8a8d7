//! What goes around every RPC: a line in the log, the refusal of what cannot be done, and the end of a panic.

use std::{
    future::Future,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use crate::{
    framework::{Diagnostic, Diagnostics, Provider},
    log::{self, Level},
    proto::tfplugin6,
    server::{Server, panics, to_proto},
};

/// The request of an RPC.
pub(super) trait Rpc {
    /// The RPC.
    const NAME: &'static str;
    /// What answers it.
    type Response: Refusal;
    /// What it is about: the name of a field in the log, and its value.
    fn subject(&self) -> Option<(&'static str, &str)>;
}

/// An answer that can say why there is none.
pub(super) trait Refusal {
    /// The answer that carries nothing else.
    fn of(diagnostics: Diagnostics) -> Self;
}

/// The service, as a table: each line names the RPC, its method, what the log says it is about, and what answers it.
/// The first part has the RPCs whose requests say nothing, the second those that need not wait for anything.
macro_rules! rpcs {
    (
        unasked { $($empty:ident $empty_method:ident => $empty_respond:path,)* }
        at_once { $($now:ident $now_method:ident($($now_key:ident: $now_field:ident)?) => $now_respond:path,)* }
        in_time { $($later:ident $later_method:ident($($key:ident: $field:ident)?) => $respond:path,)* }
        otherwise { $($otherwise:tt)* }
    ) => {
        #[tonic::async_trait]
        impl<P: framework::Provider> tfplugin6::provider_server::Provider for Server<P> {
            $(async fn $empty_method(
                &self,
                request: Request<tfplugin6::$empty_method::Request>,
            ) -> Result<Response<tfplugin6::$empty_method::Response>, Status> {
                Ok(Response::new(self.answer(&request.into_inner(), async { Ok($empty_respond(self)) }).await))
            })*

            $(async fn $now_method(
                &self,
                request: Request<tfplugin6::$now_method::Request>,
            ) -> Result<Response<tfplugin6::$now_method::Response>, Status> {
                let request = request.into_inner();
                Ok(Response::new(self.answer(&request, async { $now_respond(self, &request) }).await))
            })*

            $(async fn $later_method(
                &self,
                request: Request<tfplugin6::$later_method::Request>,
            ) -> Result<Response<tfplugin6::$later_method::Response>, Status> {
                let request = request.into_inner();
                Ok(Response::new(self.answer(&request, $respond(self, &request)).await))
            })*

            $($otherwise)*
        }

        $(rpcs!(one $empty $empty_method);)*
        $(rpcs!(one $now $now_method $($now_key $now_field)?);)*
        $(rpcs!(one $later $later_method $($key $field)?);)*
    };
    (one $name:ident $method:ident $($key:ident $field:ident)?) => {
        impl rpc::Rpc for tfplugin6::$method::Request {
            const NAME: &'static str = stringify!($name);
            type Response = tfplugin6::$method::Response;

            fn subject(&self) -> Option<(&'static str, &str)> {
                let subjects: &[(&'static str, &str)] = &[$((stringify!($key), &self.$field))?];
                subjects.first().copied()
            }
        }
    };
}
pub(super) use rpcs;

macro_rules! refusals {
    ($($method:ident)+) => {$(
        impl Refusal for tfplugin6::$method::Response {
            fn of(diagnostics: Diagnostics) -> Self {
                let mut res = Self::default();
                res.diagnostics.extend(to_proto::diagnostics(diagnostics));
                res
            }
        }
    )+};
}

refusals! {
    apply_resource_change
    close_ephemeral_resource
    configure_provider
    configure_state_store
    delete_state
    generate_resource_config
    get_functions
    get_metadata
    get_provider_schema
    get_resource_identity_schemas
    get_states
    import_resource_state
    lock_state
    move_resource_state
    open_ephemeral_resource
    plan_action
    plan_resource_change
    read_data_source
    read_resource
    read_state_bytes
    renew_ephemeral_resource
    unlock_state
    upgrade_resource_identity
    upgrade_resource_state
    validate_action_config
    validate_data_resource_config
    validate_ephemeral_resource_config
    validate_list_resource_config
    validate_provider_config
    validate_resource_config
    validate_state_store
    write_state_bytes
}

impl Refusal for tfplugin6::call_function::Response {
    fn of(diagnostics: Diagnostics) -> Self {
        let error = tfplugin6::FunctionError { text: sentences(diagnostics), function_argument: None };
        Self { result: None, error: Some(error) }
    }
}

impl Refusal for tfplugin6::stop_provider::Response {
    fn of(diagnostics: Diagnostics) -> Self {
        Self { error: sentences(diagnostics) }
    }
}

/// For answers that have no place for diagnostics.
fn sentences(diagnostics: Diagnostics) -> String {
    let texts: Vec<String> = diagnostics.0.into_iter().map(|it| format!("{}: {}", it.summary, it.detail)).collect();
    texts.join("\n\n")
}

impl<P: Provider> Server<P> {
    /// The answer that `response` gives, or why there is none.
    pub(super) async fn answer<R: Rpc>(
        &self,
        request: &R,
        response: impl Future<Output = Result<R::Response, Diagnostics>>,
    ) -> R::Response {
        let started = Instant::now();
        let response = panics::caught(response).await.unwrap_or_else(|panic| {
            let subject = request.subject().map(|(_, name)| format!(" of `{name}`")).unwrap_or_default();
            Err(Diagnostic::bug(format!("{}{subject} panicked at {panic}.", R::NAME)).into())
        });
        if log::enabled(Level::Debug) {
            self.note(request, started.elapsed(), response.is_ok());
        }
        response.unwrap_or_else(R::Response::of)
    }

    fn note<R: Rpc>(&self, request: &R, time: Duration, answered: bool) {
        // Terraform mixes the logs of several processes.
        let id = format!("{}-{}", std::process::id(), self.requests.fetch_add(1, Ordering::Relaxed));
        let milliseconds = time.as_millis();
        let mut fields: Vec<log::Field<'_>> =
            vec![("tf_rpc", &R::NAME), ("tf_req_id", &id), ("tf_req_duration_ms", &milliseconds)];
        let subject = request.subject();
        if let Some((key, name)) = &subject {
            fields.push((key, name));
        }
        log::debug(if answered { "A request was answered" } else { "A request was refused" }, &fields);
    }
}
