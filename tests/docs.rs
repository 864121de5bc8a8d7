//! `docs/` is what the registry renders. `UPDATE=1 cargo test --test docs` writes it anew.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::{fmt::Write, fs, path::Path};

use terraform_provider_kafka::{
    framework::{
        AttributeSchema, BlockSchema, DynFunction, Kind, Mode, Nesting, Provider, Schema, Signature, Type, schema,
    },
    provider::{KafkaProvider, Settings},
};

#[test]
fn pages_are_current() {
    let registry = KafkaProvider::registry();
    let mut stale = Vec::new();
    let mut page = |path: String, text: String| {
        let file = root().join("docs").join(&path);
        if fs::read_to_string(&file).is_ok_and(|it| it == text) {
            return;
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
        } else {
            stale.push(path);
        }
    };
    page("index.md".to_owned(), provider_page());
    for (name, resource) in &registry.resources {
        page(format!("resources/{name}.md"), resource_page(name, resource.schema(), resource.identity_schema()));
    }
    for (name, data_source) in &registry.data_sources {
        page(format!("data-sources/{name}.md"), data_source_page(name, data_source.schema()));
    }
    for (name, function) in &registry.functions {
        page(format!("functions/{name}.md"), function_page(name, function.as_ref()));
    }
    assert!(stale.is_empty(), "{stale:?} differ from the code: run `make generate` and commit the result");
}

#[test]
fn no_page_is_left_of_what_is_no_more() {
    let registry = KafkaProvider::registry();
    let check = |folder: &str, exists: &dyn Fn(&str) -> bool| {
        for entry in fs::read_dir(root().join("docs").join(folder)).into_iter().flatten() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let known = name.strip_suffix(".md").is_some_and(exists);
            assert!(known, "docs/{folder}/{name} describes nothing that is registered: delete it");
        }
    };
    check("resources", &|name| registry.resources.contains_key(name));
    check("data-sources", &|name| registry.data_sources.contains_key(name));
    check("functions", &|name| registry.functions.contains_key(name));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn example(path: &str) -> String {
    let text = fs::read_to_string(root().join("examples").join(path)).unwrap_or_default();
    assert!(!text.is_empty(), "examples/{path} is missing");
    text.trim_end().to_owned()
}

fn head(title: &str, kind: &str, doc: &str) -> String {
    let first = doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    format!(
        "---\npage_title: \"{title}\"\nsubcategory: \"\"\ndescription: |-\n  {first}\n---\n\n# {kind}\n\n{}\n",
        wrapped(doc)
    )
}

/// A doc comment's paragraphs as one line each, as the registry shows them.
fn wrapped(doc: &str) -> String {
    doc.split("\n\n").map(|it| it.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

fn provider_page() -> String {
    let schema = schema::<Settings>();
    let mut page = head("Provider: Kafka", "Kafka Provider", schema.doc);
    let _ = write!(page, "\n## Example Usage\n\n```terraform\n{}\n```\n", example("provider/provider.tf"));
    schema_section(&mut page, &schema);
    page
}

fn resource_page(name: &str, schema: &Schema, identity: &Schema) -> String {
    let full = format!("kafka_{name}");
    let mut page = head(&format!("{full} Resource - kafka"), &format!("{full} (Resource)"), schema.doc);
    let folder = format!("resources/{full}");
    let _ = write!(page, "\n## Example Usage\n\n```terraform\n{}\n```\n", example(&format!("{folder}/resource.tf")));
    schema_section(&mut page, schema);
    page.push_str("\n## Import\n\nBy command:\n\n");
    let _ = write!(page, "```shell\n{}\n```\n", example(&format!("{folder}/import.sh")));
    let _ = write!(
        page,
        "\nBy `import` block with an identifier:\n\n```terraform\n{}\n```\n",
        example(&format!("{folder}/import-by-string-id.tf"))
    );
    let _ = write!(
        page,
        "\nBy `import` block with an identity (Terraform 1.12 and OpenTofu 1.12 or newer):\n\n```terraform\n{}\n```\n",
        example(&format!("{folder}/import-by-identity.tf"))
    );
    page.push_str("\n### Identity\n\n");
    for (name, about) in &identity.attributes {
        let _ = writeln!(page, "- `{name}` ({}) {}", type_name(about), wrapped(about.doc));
    }
    page
}

fn data_source_page(name: &str, schema: &Schema) -> String {
    let full = format!("kafka_{name}");
    let mut page = head(&format!("{full} Data Source - kafka"), &format!("{full} (Data Source)"), schema.doc);
    let path = format!("data-sources/{full}/data-source.tf");
    let _ = write!(page, "\n## Example Usage\n\n```terraform\n{}\n```\n", example(&path));
    schema_section(&mut page, schema);
    page
}

fn function_page(name: &str, function: &dyn DynFunction) -> String {
    let mut page = head(&format!("{name} function - kafka"), &format!("function: {name}"), function.doc());
    let path = format!("functions/{name}/function.tf");
    let _ = write!(page, "\n## Example Usage\n\n```terraform\n{}\n```\n", example(&path));
    let Signature { parameters, returns } = function.signature();
    let written: Vec<String> = parameters.iter().map(|it| format!("{} {}", it.name, type_word(&it.ty))).collect();
    let _ = write!(page, "\n## Signature\n\n```text\n{name}({}) {}\n```\n", written.join(", "), type_word(returns));
    page.push_str("\n## Arguments\n\n");
    for (at, it) in parameters.iter().enumerate() {
        let _ = writeln!(page, "{}. `{}` ({}) {}", at + 1, it.name, plain_type_name(&it.ty), wrapped(it.doc));
    }
    page
}

/// A type as a signature has it.
fn type_word(ty: &Type) -> String {
    plain_type_name(ty).to_lowercase()
}

fn schema_section(page: &mut String, schema: &Schema) {
    page.push_str("\n## Schema\n");
    let mut nested = Vec::new();
    fields(page, schema, "###", "", &mut nested);
    let mut at = 0;
    while at < nested.len() {
        let (path, schema): (String, Schema) = nested[at].clone();
        let _ =
            write!(page, "\n<a id=\"nestedatt--{}\"></a>\n### Nested Schema for `{path}`\n", path.replace('.', "--"));
        fields(page, &schema, "####", &path, &mut nested);
        at += 1;
    }
}

fn fields(page: &mut String, schema: &Schema, heading: &str, path: &str, nested: &mut Vec<(String, Schema)>) {
    let groups: [(&str, &[Mode]); 3] = [
        ("Required", &[Mode::Required]),
        ("Optional", &[Mode::Optional, Mode::OptionalComputed]),
        ("Read-Only", &[Mode::Computed]),
    ];
    for (title, modes) in groups {
        let mut lines = Vec::new();
        for (name, about) in schema.attributes.iter().filter(|(_, it)| modes.contains(&it.mode)) {
            lines.push(attribute_line(name, about, path, nested));
        }
        if title == "Optional" {
            for (name, block) in &schema.blocks {
                lines.push(block_line(name, block, path, nested));
            }
        }
        if !lines.is_empty() {
            let _ = write!(page, "\n{heading} {title}\n\n{}\n", lines.join("\n"));
        }
    }
}

fn attribute_line(name: &str, about: &AttributeSchema, path: &str, nested: &mut Vec<(String, Schema)>) -> String {
    let mut marks = vec![type_name(about)];
    if about.sensitive {
        marks.push("Sensitive".to_owned());
    }
    if about.write_only {
        marks.push("Write-only".to_owned());
    }
    if about.deprecated.is_some() {
        marks.push("Deprecated".to_owned());
    }
    let mut line = format!("- `{name}` ({}) {}", marks.join(", "), wrapped(about.doc));
    if let Some(instead) = about.deprecated {
        let _ = write!(line, " Deprecated: {instead}");
    }
    if let Kind::Nested(_, schema) = &about.kind {
        line.push_str(&below(name, path, schema, nested));
    }
    line
}

fn block_line(name: &str, block: &BlockSchema, path: &str, nested: &mut Vec<(String, Schema)>) -> String {
    let kind = match block.nesting {
        Nesting::Single => "Block",
        Nesting::List => "Block List",
        Nesting::Set => "Block Set",
        Nesting::Map => "Block Map",
    };
    format!("- `{name}` ({kind}) {}{}", wrapped(block.doc), below(name, path, &block.schema, nested))
}

/// A link to the section of a nested schema, which is noted to be written.
fn below(name: &str, path: &str, schema: &Schema, nested: &mut Vec<(String, Schema)>) -> String {
    let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    nested.push((path.clone(), schema.clone()));
    format!(" (see [below for nested schema](#nestedatt--{}))", path.replace('.', "--"))
}

fn type_name(about: &AttributeSchema) -> String {
    match &about.kind {
        Kind::Plain(ty) => plain_type_name(ty),
        Kind::Nested(Nesting::Single, _) => "Attributes".to_owned(),
        Kind::Nested(Nesting::List, _) => "Attributes List".to_owned(),
        Kind::Nested(Nesting::Set, _) => "Attributes Set".to_owned(),
        Kind::Nested(Nesting::Map, _) => "Attributes Map".to_owned(),
    }
}

fn plain_type_name(ty: &Type) -> String {
    match ty {
        Type::Bool => "Boolean".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::String => "String".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(of) => format!("List of {}", plain_type_name(of)),
        Type::Set(of) => format!("Set of {}", plain_type_name(of)),
        Type::Map(of) => format!("Map of {}", plain_type_name(of)),
        Type::Tuple(_) => "Tuple".to_owned(),
        Type::Object(_) => "Object".to_owned(),
    }
}
