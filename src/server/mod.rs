//! The plugin protocol, served for any provider of `framework`.
//!
//! Each RPC has a file, and each file has the same three steps: what came is converted, `framework` is called, and the
//! answer is converted. What holds for all of them:
//!
//! - **An answer is never a gRPC status.** Terraform shows a status as a breakdown of the plugin, so whatever is wrong,
//!   from a value that cannot be read to a panic, is a diagnostic. RPCs for kinds of things that this server does not
//!   have, such as ephemeral resources, say that there is no such thing; see `absent.rs`.
//! - **Between two calls nothing is kept but the configured context.** Each `ConfigureProvider` begins a new
//!   `Generation`; under a debugger one process serves many walks, and so has many.
//! - **An error carries no state.** Terraform then keeps what it has: the state, the private facts and the identity. An
//!   answer without an error carries all three, because Terraform stores them as they come.
//! - **A stop is obeyed.** What is under way has some seconds to finish, and nothing new begins.

mod absent;
mod apply_resource_change;
mod call_function;
mod configure_provider;
mod from_proto;
mod generation;
mod get_functions;
mod get_metadata;
mod get_provider_schema;
mod get_resource_identity_schemas;
mod import_resource_state;
mod move_resource_state;
mod panics;
mod plan_resource_change;
mod read_data_source;
mod read_resource;
mod rpc;
mod stop_provider;
mod to_proto;
mod upgrade_resource_identity;
mod upgrade_resource_state;
mod validate_data_resource_config;
mod validate_provider_config;
mod validate_resource_config;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU64},
};

use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

use crate::{
    framework::{self, Diagnostic, DynDataSource, DynResource, Registry, Schema, Type, schema},
    proto::tfplugin6,
    server::{generation::Generation, rpc::rpcs},
};

/// A provider as a gRPC service.
pub struct Server<P: framework::Provider> {
    registry: Registry<P::Context>,
    settings: Schema,
    settings_ty: Type,
    generation: RwLock<Option<Arc<Generation<P::Context>>>>,
    requests: AtomicU64,
}

impl<P: framework::Provider> fmt::Debug for Server<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("provider", &P::NAME).field("registry", &self.registry).finish_non_exhaustive()
    }
}

impl<P: framework::Provider> Default for Server<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: framework::Provider> Server<P> {
    /// A server that is not configured yet.
    pub fn new() -> Self {
        panics::note_locations();
        let settings = schema::<P::Settings>();
        Self {
            registry: P::registry(),
            settings_ty: settings.ty(),
            settings,
            generation: RwLock::default(),
            requests: AtomicU64::default(),
        }
    }

    fn resource(&self, type_name: &str) -> Result<&dyn DynResource<P::Context>, Diagnostic> {
        let resource = Self::without_prefix(type_name).and_then(|it| self.registry.resources.get(it));
        resource.map(|it| &**it).ok_or_else(|| absent::no_such("resource", type_name))
    }

    fn data_source(&self, type_name: &str) -> Result<&dyn DynDataSource<P::Context>, Diagnostic> {
        let data_source = Self::without_prefix(type_name).and_then(|it| self.registry.data_sources.get(it));
        data_source.map(|it| &**it).ok_or_else(|| absent::no_such("data source", type_name))
    }

    fn without_prefix(type_name: &str) -> Option<&str> {
        type_name.strip_prefix(P::NAME)?.strip_prefix('_')
    }

    /// The type name of a resource or a data source as Terraform knows it.
    fn type_name(name: &str) -> String {
        format!("{}_{name}", P::NAME)
    }

    /// What the last `ConfigureProvider` made.
    fn generation(&self) -> Result<Arc<Generation<P::Context>>, Diagnostic> {
        // A lock that a panic left behind still holds a whole value: it is only ever replaced.
        let generation = self.generation.read().unwrap_or_else(PoisonError::into_inner).clone();
        generation.ok_or_else(|| {
            Diagnostic::error(
                "Provider not configured",
                "The operation needs the provider's configuration, and Terraform has not sent it.",
            )
        })
    }

    fn begin(&self, generation: Option<Generation<P::Context>>) {
        *self.generation.write().unwrap_or_else(PoisonError::into_inner) = generation.map(Arc::new);
    }
}

/// A stream of one answer.
fn only<T: Send + 'static>(answer: T) -> BoxStream<T> {
    Box::pin(tokio_stream::once(Ok(answer)))
}

rpcs! {
    unasked {
        GetMetadata get_metadata => get_metadata::respond,
        GetProviderSchema get_provider_schema => get_provider_schema::respond,
        GetResourceIdentitySchemas get_resource_identity_schemas => get_resource_identity_schemas::respond,
        GetFunctions get_functions => get_functions::respond,
        StopProvider stop_provider => stop_provider::respond,
    }
    at_once {
        CallFunction call_function(tf_function: name) => call_function::respond,

        ValidateProviderConfig validate_provider_config() => validate_provider_config::respond,
        ValidateResourceConfig validate_resource_config(tf_resource_type: type_name)
            => validate_resource_config::respond,
        ValidateDataResourceConfig validate_data_resource_config(tf_data_source_type: type_name)
            => validate_data_resource_config::respond,

        UpgradeResourceState upgrade_resource_state(tf_resource_type: type_name) => upgrade_resource_state::respond,
        UpgradeResourceIdentity upgrade_resource_identity(tf_resource_type: type_name)
            => upgrade_resource_identity::respond,
        MoveResourceState move_resource_state(tf_resource_type: target_type_name) => move_resource_state::respond,

        GenerateResourceConfig generate_resource_config(tf_resource_type: type_name)
            => absent::generate_resource_config,
        ValidateEphemeralResourceConfig validate_ephemeral_resource_config(tf_ephemeral_resource_type: type_name)
            => absent::validate_ephemeral_resource_config,
        OpenEphemeralResource open_ephemeral_resource(tf_ephemeral_resource_type: type_name)
            => absent::open_ephemeral_resource,
        RenewEphemeralResource renew_ephemeral_resource(tf_ephemeral_resource_type: type_name)
            => absent::renew_ephemeral_resource,
        CloseEphemeralResource close_ephemeral_resource(tf_ephemeral_resource_type: type_name)
            => absent::close_ephemeral_resource,
        ValidateListResourceConfig validate_list_resource_config(tf_list_resource_type: type_name)
            => absent::validate_list_resource_config,
        ValidateActionConfig validate_action_config(tf_action_type: type_name) => absent::validate_action_config,
        PlanAction plan_action(tf_action_type: action_type) => absent::plan_action,
        ConfigureStateStore configure_state_store(tf_state_store_type: type_name) => absent::configure_state_store,
        GetStates get_states(tf_state_store_type: type_name) => absent::get_states,
        DeleteState delete_state(tf_state_store_type: type_name) => absent::delete_state,
        LockState lock_state(tf_state_store_type: type_name) => absent::lock_state,
        UnlockState unlock_state(tf_state_store_type: type_name) => absent::unlock_state,
    }
    in_time {
        ConfigureProvider configure_provider() => configure_provider::respond,
        ReadResource read_resource(tf_resource_type: type_name) => read_resource::respond,
        PlanResourceChange plan_resource_change(tf_resource_type: type_name) => plan_resource_change::respond,
        ApplyResourceChange apply_resource_change(tf_resource_type: type_name) => apply_resource_change::respond,
        ImportResourceState import_resource_state(tf_resource_type: type_name) => import_resource_state::respond,
        ReadDataSource read_data_source(tf_data_source_type: type_name) => read_data_source::respond,
    }
    otherwise {
        async fn validate_state_store_config(
            &self,
            request: Request<tfplugin6::validate_state_store::Request>,
        ) -> Result<Response<tfplugin6::validate_state_store::Response>, Status> {
            Ok(Response::new(absent::validate_state_store_config(&request.into_inner())))
        }

        async fn list_resource(
            &self,
            request: Request<tfplugin6::list_resource::Request>,
        ) -> Result<Response<BoxStream<tfplugin6::list_resource::Event>>, Status> {
            Ok(Response::new(only(absent::list_resource(&request.into_inner()))))
        }

        async fn invoke_action(
            &self,
            request: Request<tfplugin6::invoke_action::Request>,
        ) -> Result<Response<BoxStream<tfplugin6::invoke_action::Event>>, Status> {
            Ok(Response::new(only(absent::invoke_action(&request.into_inner()))))
        }

        async fn read_state_bytes(
            &self,
            request: Request<tfplugin6::read_state_bytes::Request>,
        ) -> Result<Response<BoxStream<tfplugin6::read_state_bytes::Response>>, Status> {
            Ok(Response::new(only(absent::read_state_bytes(&request.into_inner()))))
        }

        async fn write_state_bytes(
            &self,
            request: Request<Streaming<tfplugin6::write_state_bytes::RequestChunk>>,
        ) -> Result<Response<tfplugin6::write_state_bytes::Response>, Status> {
            Ok(Response::new(absent::write_state_bytes(request.into_inner()).await))
        }
    }
}
