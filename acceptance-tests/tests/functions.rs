//! The functions `render_name` and `parse_name`.

use acceptance_tests::Engine;
use serde_json::json;

use crate::{example, workspace};

#[test]
fn the_examples_make_a_name_and_read_one() {
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        workspace.write("render.tf", &example("functions/render_name/function.tf"));
        workspace.write("parse.tf", &example("functions/parse_name/function.tf"));
        workspace.applies();
        let outputs = &workspace.state()["values"]["outputs"];
        assert_eq!(outputs["topic"]["value"], json!("a0205-payments-refunds-dlq"));
        let fields = json!({"code": "0205", "application": "payments", "purpose": "refunds"});
        assert_eq!(outputs["fields"]["value"], fields);
    }
}
