//! Calls of functions.

use terraform_provider_kafka::{
    framework::{Type, Value},
    proto::tfplugin6::{DynamicValue, FunctionError, call_function},
};

use crate::protocol::{
    client::{Host, dynamic, value},
    provider::SECRET,
};

async fn call(name: &str, arguments: Vec<DynamicValue>) -> Result<Value, FunctionError> {
    let host = Host::start().await;
    let request = call_function::Request { name: name.into(), arguments };
    let response = host.client.clone().call_function(request).await.unwrap().into_inner();
    match response.error {
        Some(error) => {
            assert_eq!(response.result, None);
            Err(error)
        }
        None => Ok(value(response.result.as_ref(), &Type::List(Box::new(Type::String)))),
    }
}

fn arguments(text: &str, times: i64) -> Vec<DynamicValue> {
    vec![dynamic(&text.into(), &Type::String), dynamic(&times.into(), &Type::Number)]
}

#[tokio::test]
async fn a_function_answers_without_a_configured_provider() {
    assert_eq!(call("repeat", arguments("a", 2)).await, Ok(Value::List(vec!["a".into(), "a".into()])));
}

#[tokio::test]
async fn an_error_names_the_argument_to_blame() {
    let error = call("repeat", arguments("a", -1)).await.unwrap_err();
    assert_eq!(error, FunctionError { text: "It cannot be said so often.".into(), function_argument: Some(1) });
    let mut swapped = arguments("a", 1);
    swapped.swap(0, 1);
    assert_eq!(call("repeat", swapped).await.unwrap_err().function_argument, Some(0));
}

#[tokio::test]
async fn calls_that_do_not_fit_are_refused() {
    let error = call("repeat", arguments("a", 1)[..1].to_vec()).await.unwrap_err();
    assert!(error.text.contains("takes 2 arguments and was given 1"), "{}", error.text);
    let error = call("nothing", vec![]).await.unwrap_err();
    assert!(error.text.starts_with("No such function"), "{}", error.text);
}

#[tokio::test]
async fn a_panic_is_told_without_its_words() {
    let error = call("repeat", arguments("a", 1000)).await.unwrap_err();
    assert!(error.text.contains("CallFunction of `repeat` panicked at tests/protocol/provider.rs:"), "{}", error.text);
    assert!(!error.text.contains(SECRET), "{}", error.text);
}
