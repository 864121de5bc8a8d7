//! The house rules that can be checked: which module may use which, and that nothing of a resource is forgotten.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use terraform_provider_kafka::{
    framework::{Provider, check, schema},
    provider::{KafkaProvider, Settings},
};

/// Each module and those that it may use, as ARCHITECTURE.md draws them.
const ARROWS: [(&str, &[&str]); 13] = [
    ("clients", &["governance", "log", "schemas"]),
    ("commands", &["clients", "framework", "governance", "provider"]),
    ("data_sources", &["clients", "framework", "governance", "log", "provider", "resources", "schemas"]),
    ("framework", &[]),
    ("functions", &["framework", "governance", "schemas"]),
    ("governance", &[]),
    ("log", &[]),
    ("plugin", &["log", "proto", "server"]),
    ("proto", &[]),
    ("provider", &["clients", "data_sources", "framework", "functions", "governance", "log", "resources"]),
    ("resources", &["clients", "framework", "governance", "log", "provider", "schemas"]),
    ("schemas", &[]),
    ("server", &["framework", "log", "proto"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut res = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            res.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            res.push(path);
        }
    }
    res.sort();
    res
}

/// The modules named in `crate::module` paths, whether alone or in the braces of one `use`.
fn used(text: &str) -> BTreeSet<String> {
    let mut res = BTreeSet::new();
    for part in text.split("crate::").skip(1) {
        let names = match part.strip_prefix('{') {
            Some(group) => outer_names(group),
            None => vec![part],
        };
        for name in names {
            let name: String = name.trim().chars().take_while(|it| it.is_ascii_lowercase() || *it == '_').collect();
            res.insert(name);
        }
    }
    res.remove("");
    res
}

/// The items of a brace group, up to its closing brace.
fn outer_names(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut res) = (0, 0, Vec::new());
    for (at, it) in group.char_indices() {
        match it {
            '{' => depth += 1,
            '}' if depth == 0 => {
                res.push(&group[start..at]);
                return res;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                res.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    res
}

#[test]
fn modules_use_only_what_the_architecture_permits() {
    let src = root().join("src");
    let mut wrong = Vec::new();
    for path in sources(&src) {
        let relative = path.strip_prefix(&src).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if module == "main" || module == "lib" {
            continue;
        }
        let Some((_, permitted)) = ARROWS.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("src/{}: the module `{module}` is not in the architecture", relative.display()));
            continue;
        };
        for name in used(&fs::read_to_string(&path).unwrap()) {
            if name != module && !permitted.contains(&name.as_str()) {
                wrong.push(format!("src/{}: `{module}` may not use `{name}`", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\nARCHITECTURE.md has the map; a new arrow is a decision.", wrong.join("\n"));
}

#[test]
fn braces_of_a_use_are_read() {
    let text = "use crate::{\n    clients::kafka::{A, B},\n    framework::{C, D},\n    provider,\n};\nuse crate::log;";
    let expected = ["clients", "framework", "log", "provider"].map(str::to_owned);
    assert_eq!(used(text), BTreeSet::from(expected));
}

#[test]
fn every_module_opens_with_a_sentence() {
    let packages = ["src", "derive/src", "acceptance-tests/src", "wire-proxy/src"];
    for path in packages.iter().flat_map(|it| sources(&root().join(it))) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//! "),
            "{}: a file opens with a `//!` sentence that says its one job",
            path.display()
        );
    }
}

#[test]
fn the_registry_is_one_sorted_list() {
    let text = fs::read_to_string(root().join("src/provider.rs")).unwrap();
    let calls = |method: &str| -> Vec<&str> {
        text.split(&format!(".{method}::<")).skip(1).filter_map(|it| it.split('>').next()).collect()
    };
    let registry = KafkaProvider::registry();
    for (method, count) in [
        ("data_source", registry.data_sources.len()),
        ("function", registry.functions.len()),
        ("resource", registry.resources.len()),
    ] {
        let names = calls(method);
        assert!(names.is_sorted(), "{names:?}: keep the registrations sorted");
        assert_eq!(names.len(), count, "register everything in `KafkaProvider::registry`, one line each");
    }
}

#[test]
fn nothing_of_a_resource_is_forgotten() {
    let registry = KafkaProvider::registry();
    let mut missing = Vec::new();
    let mut need = |path: String| {
        if !root().join(&path).is_file() {
            missing.push(path);
        }
    };
    for name in registry.resources.keys() {
        need(format!("src/resources/{name}.rs"));
        need(format!("acceptance-tests/tests/{name}.rs"));
        need(format!("docs/resources/{name}.md"));
        for example in ["resource.tf", "import.sh", "import-by-string-id.tf", "import-by-identity.tf"] {
            need(format!("examples/resources/kafka_{name}/{example}"));
        }
    }
    for name in registry.data_sources.keys() {
        need(format!("src/data_sources/{name}.rs"));
        need(format!("docs/data-sources/{name}.md"));
        need(format!("examples/data-sources/kafka_{name}/data-source.tf"));
    }
    for name in registry.functions.keys() {
        need(format!("src/functions/{name}.rs"));
        need(format!("docs/functions/{name}.md"));
        need(format!("examples/functions/{name}/function.tf"));
    }
    assert!(missing.is_empty(), "missing: {missing:#?}\nCONTRIBUTING.md has the recipe.");
}

#[test]
fn every_schema_is_one_that_terraform_loads() {
    let registry = KafkaProvider::registry();
    assert_eq!(check::schema(&schema::<Settings>()), Vec::<String>::new());
    for resource in registry.resources.values() {
        assert_eq!(check::schema(resource.schema()), Vec::<String>::new(), "{}", resource.name());
        assert!(100 <= resource.version(), "{}: schema versions begin at 100", resource.name());
        for (name, about) in &resource.identity_schema().attributes {
            assert!(about.is_configurable(), "{}: identity `{name}` is given in an import", resource.name());
        }
    }
    for data_source in registry.data_sources.values() {
        assert_eq!(check::schema(data_source.schema()), Vec::<String>::new(), "{}", data_source.name());
    }
}

/// The places where a natural reading of Terraform's protocol loses data or turns legitimate plans red, as numbered in
/// ARCHITECTURE.md. Each is the subject of a test that says so.
#[test]
fn the_rules_that_terraforms_core_forces_have_tests() {
    let folders = ["src", "tests", "acceptance-tests/tests"];
    let texts: Vec<String> =
        folders.iter().flat_map(|it| sources(&root().join(it))).map(|it| fs::read_to_string(it).unwrap()).collect();
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for rule in [1, 2, 3, 4, 5, 6, 7, 9, 10, 14, 15, 16, 18, 19, 21, 22, 23, 24, 25] {
        let named = format!("/// Rule {rule} of Terraform's core: ");
        assert!(texts.iter().any(|it| it.contains(&named)), "no test names rule {rule}");
        assert!(map.contains(&format!("\n| {rule} | ")), "ARCHITECTURE.md does not tell rule {rule}");
    }
}

#[test]
fn no_test_is_switched_off() {
    for path in ["src", "tests", "acceptance-tests", "wire-proxy"].iter().flat_map(|it| sources(&root().join(it))) {
        let text = fs::read_to_string(&path).unwrap();
        for word in [concat!("#[", "ignore"), concat!("should_", "panic"), concat!("todo", "!(")] {
            assert!(!text.contains(word), "{}: `{word}`", path.display());
        }
    }
}
