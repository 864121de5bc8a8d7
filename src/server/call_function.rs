//! `CallFunction`.

use crate::{
    framework::{Diagnostic, Diagnostics, FunctionError, Provider, Value},
    proto::tfplugin6::{
        self,
        call_function::{Request, Response},
    },
    server::{Server, absent, from_proto, to_proto},
};

pub(super) fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let functions = &server.registry.functions;
    let function = functions.get(&*request.name).ok_or_else(|| absent::no_such("function", &request.name))?;
    let signature = function.signature();
    if request.arguments.len() != signature.parameters.len() {
        let (has, needs) = (request.arguments.len(), signature.parameters.len());
        return Err(Diagnostic::bug(format!("`{}` takes {needs} arguments and was given {has}.", request.name)).into());
    }
    let mut arguments: Vec<Value> = Vec::with_capacity(request.arguments.len());
    for (at, (argument, parameter)) in request.arguments.iter().zip(&signature.parameters).enumerate() {
        match from_proto::value(Some(argument), &parameter.ty, "argument") {
            Ok(value) => arguments.push(value),
            Err(wrong) => return Ok(failed(FunctionError { text: wrong.detail, argument: Some(at) })),
        }
    }
    Ok(match function.call(arguments) {
        Ok(result) => Response { result: to_proto::value(&result, &signature.returns)?, error: None },
        Err(error) => failed(error),
    })
}

fn failed(error: FunctionError) -> Response {
    let function_argument = error.argument.and_then(|it| i64::try_from(it).ok());
    Response { result: None, error: Some(tfplugin6::FunctionError { text: error.text, function_argument }) }
}
