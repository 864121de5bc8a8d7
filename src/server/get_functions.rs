//! `GetFunctions`: the signatures of the functions.

use std::collections::BTreeMap;

use crate::{
    framework::{Provider, Registry},
    proto::tfplugin6::{Function, get_functions::Response},
    server::{Server, to_proto},
};

pub(super) fn respond<P: Provider>(server: &Server<P>) -> Response {
    Response { functions: functions(&server.registry), ..Response::default() }
}

pub(super) fn functions<C>(registry: &Registry<C>) -> BTreeMap<String, Function> {
    registry.functions.iter().map(|(name, it)| ((*name).to_owned(), to_proto::function(&**it))).collect()
}
