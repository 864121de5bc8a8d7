//! The server as Terraform meets it: a gRPC client in the same process, and a provider that has every shape once.

#[cfg(test)]
mod protocol {
    mod absent;
    mod apply;
    mod client;
    mod configure;
    mod functions;
    mod import;
    mod plan;
    mod provider;
    mod read;
    mod schema;
    mod stop;
    mod upgrade;
    mod validate;
}
