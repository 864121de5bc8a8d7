//! Mistakes in models, and what the compiler says of them. `TRYBUILD=overwrite cargo test --test ui` writes the answers.

#[test]
fn mistakes_in_models_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
