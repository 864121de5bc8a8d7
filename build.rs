//! Compiles the protocol definitions in `proto/` with a compiler written in Rust, so that no `protoc` is needed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = ["tfplugin6.proto", "grpc_broker.proto", "grpc_controller.proto", "grpc_stdio.proto", "health.proto"];
    tonic_prost_build::configure()
        // Maps keep their order, so that a schema is the same bytes on every run.
        .btree_map(".")
        // Values are passed on as slices of the message that brought them.
        .bytes(".")
        // What the provider does not offer answers Unimplemented, which is how Terraform learns what it offers.
        .generate_default_stubs(true)
        .compile_fds(protox::compile(files, ["proto"])?)?;
    Ok(())
}
