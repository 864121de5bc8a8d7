//! What counts as the same, and what is wrong where.

use super::*;

const ORDER: &str = r#"{
  "type": "record", "name": "Order", "namespace": "shop", "doc": "An order.",
  "fields": [
    {"name": "id", "type": "string"},
    {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
      {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}}
    ]}}},
    {"name": "first", "type": ["null", "Line"], "default": null}
  ]
}"#;

#[track_caller]
fn differs(format: Format, one: &str, other: &str) -> Difference {
    let read = |text| Schema::parse(format, text, false).unwrap();
    read(one).difference(&read(other))
}

#[test]
fn avro_is_the_same_however_it_is_spelled() {
    let full = ORDER
        .replace(r#""name": "Order", "namespace": "shop""#, r#""name": "shop.Order""#)
        .replace(r#""name": "Line","#, r#""namespace": "shop", "name": "Line","#)
        .replace(r#"["null", "Line"]"#, r#"[{"type": "null"}, "shop.Line"]"#)
        .replace(
            r#"{"name": "id", "type": "string"}"#,
            r#"{"type":{"type":"string"},"order":"ascending","name":"id"}"#,
        );
    assert_eq!(differs(Format::Avro, ORDER, &full), Difference::None);
    let dense: String = ORDER.split_whitespace().collect();
    assert_eq!(differs(Format::Avro, ORDER, &dense.replace("Anorder.", "An order.")), Difference::None);
}

#[test]
fn what_the_canonical_form_of_avro_drops_is_a_change() {
    let check = |from: &str, to: &str, expected: Difference| {
        assert!(ORDER.contains(from), "{from}");
        assert_eq!(differs(Format::Avro, ORDER, &ORDER.replace(from, to)), expected, "{to}");
    };
    check("An order.", "One order.", Difference::Documentation);
    check(r#""doc": "An order.","#, "", Difference::Documentation);
    check(r#""default": null"#, r#""order": "ignore""#, Difference::Meaning);
    check(r#""scale": 2"#, r#""scale": 3"#, Difference::Meaning);
    check(r#""logicalType": "decimal", "precision": 9, "scale": 2"#, r#""x": 1"#, Difference::Meaning);
    check(r#""name": "id","#, r#""name": "id", "aliases": ["key"],"#, Difference::Meaning);
    check(r#"["null", "Line"]"#, r#"["Line", "null"]"#, Difference::Meaning);
    check(r#""namespace": "shop""#, r#""namespace": "store""#, Difference::Meaning);
}

/// A default may be a value that has `doc` or `type` in it.
#[test]
fn defaults_are_values_and_not_schemas() {
    let with = |default: &str| {
        format!(
            r#"{{"type":"record","name":"R","fields":[{{"name":"m","type":{{"type":"map","values":"string"}},"default":{default}}}]}}"#
        )
    };
    let (one, other) = (with(r#"{"doc":"a","type":"b"}"#), with(r#"{"doc":"c","type":"b"}"#));
    assert_eq!(differs(Format::Avro, &one, &other), Difference::Meaning);
    let number = |it: &str| ORDER.replace(r#""precision": 9"#, &format!(r#""precision": {it}"#));
    assert_eq!(differs(Format::Avro, &number("9.0"), &number("9")), Difference::None);
    assert_eq!(differs(Format::Avro, &number("9.5"), &number("9")), Difference::Meaning);
}

#[test]
fn the_canonical_form_of_avro_is_that_of_its_specification() {
    let form = avro_canonical_form(ORDER).unwrap();
    let expected = concat!(
        r#"{"name":"shop.Order","type":"record","fields":["#,
        r#"{"name":"id","type":"string"},"#,
        r#"{"name":"lines","type":{"type":"array","items":{"name":"shop.Line","type":"record","fields":["#,
        r#"{"name":"amount","type":"bytes"}]}}},"#,
        r#"{"name":"first","type":["null","shop.Line"]}]}"#
    );
    assert_eq!(form, expected);
    assert_eq!(
        avro_canonical_form(r#"{"type":"fixed","size":16,"name":"a.b.C"}"#).unwrap(),
        r#"{"name":"a.b.C","type":"fixed","size":16}"#
    );
    assert_eq!(avro_canonical_form(r#"{"type": "int", "doc": "x"}"#).unwrap(), r#""int""#);
    let around = ORDER.replace(r#"["null", "Line"]"#, r#"["null", {"type": "Line", "x": 1}]"#);
    assert_eq!(avro_canonical_form(&around).unwrap(), expected);
    // A type without a namespace is found from within one.
    let nested = r#"{"type":"record","name":"A","fields":[{"name":"b","type":{"type":"record","name":"n.B","fields":[{"name":"a","type":["null","A"]}]}}]}"#;
    assert!(Schema::parse(Format::Avro, nested, false).is_ok());
    assert!(avro_canonical_form(nested).unwrap().contains(r#"["null","A"]"#));
}

#[test]
fn json_schema_is_the_same_in_any_order() {
    let one = r#"{"title":"A","type":["object","null"],"required":["a","b"],"properties":{"a":{"type":"string"},"b":{"maximum":1.0}}}"#;
    let other = r#"{"properties":{"b":{"maximum":1},"a":{"type":"string"}},"required":["b","a"],"type":["null","object"],"title":"A"}"#;
    assert_eq!(differs(Format::Json, one, other), Difference::None);
    assert_eq!(
        differs(Format::Json, one, &other.replace("\"title\":\"A\"", "\"title\":\"B\"")),
        Difference::Documentation
    );
    assert_eq!(differs(Format::Json, one, &other.replace("[\"b\",\"a\"]", "[\"b\"]")), Difference::Meaning);
    // A property may have the name of a keyword.
    let named = r#"{"properties":{"title":{"type":"string"}}}"#;
    assert_eq!(differs(Format::Json, named, &named.replace("string", "number")), Difference::Meaning);
    // The oldest drafts extend one schema, or several.
    let extends = |it: &str| format!(r#"{{"extends":{it}}}"#);
    let (several, documented) = (extends(r#"[{"type":"object"}]"#), extends(r#"[{"type":"object","title":"A"}]"#));
    assert_eq!(differs(Format::Json, &several, &documented), Difference::Documentation);
    let values = |it: &str| format!(r#"{{"const":{it},"prefixItems":[true]}}"#);
    assert_eq!(differs(Format::Json, &values(r#"["b","a"]"#), &values(r#"["a","b"]"#)), Difference::Meaning);
}

const PROTO: &str = "syntax = \"proto3\";\npackage shop;\n\n// An order.\nmessage Order {\n  string id = 1;\n  Line first = 2;\n  \
                     message Line { int64 amount = 1; }\n}\n";

#[test]
fn protobuf_is_the_same_however_it_is_spelled() {
    let dense =
        PROTO.replace("\n\n", "\n").replace("  Line first", "  .shop.Order.Line   first").replace("; }", ";\n }");
    assert_eq!(differs(Format::Protobuf, PROTO, &dense), Difference::None);
    assert_eq!(differs(Format::Protobuf, PROTO, &PROTO.replace("Line first", "Order.Line first")), Difference::None);
    assert_eq!(differs(Format::Protobuf, PROTO, &PROTO.replace("An order.", "One.")), Difference::Documentation);
    assert_eq!(differs(Format::Protobuf, PROTO, &PROTO.replace("amount = 1", "amount = 2")), Difference::Meaning);
    assert_eq!(differs(Format::Protobuf, PROTO, &PROTO.replace("package shop", "package store")), Difference::Meaning);
    let imports = |it: &str| PROTO.replace("package shop;", &format!("package shop;\n{it}"));
    let (one, other) = ("import \"a.proto\";\nimport \"b.proto\";", "import \"b.proto\";\nimport \"a.proto\";");
    assert_eq!(differs(Format::Protobuf, &imports(one), &imports(other)), Difference::None);
}

#[test]
fn schemas_have_names() {
    let check = |format, text: &str, expected: &[&str]| {
        assert_eq!(Schema::parse(format, text, false).unwrap().names(), expected, "{text}");
    };
    check(Format::Avro, ORDER, &["shop.Order"]);
    check(Format::Avro, r#""string""#, &[]);
    check(Format::Json, r#"{"title":"Order"}"#, &["Order"]);
    check(Format::Protobuf, &format!("{PROTO}message Other {{}}"), &["shop.Order", "shop.Other"]);
    check(Format::Protobuf, "message M {}", &["M"]);
}

#[test]
fn what_is_malformed_is_told_with_its_place() {
    let check = |format, text: &str, expected: &str| {
        let wrong = Schema::parse(format, text, false).unwrap_err().to_string();
        assert!(wrong.starts_with(expected), "{text}: {wrong}");
    };
    check(Format::Avro, "", "line 1, column 1: EOF while parsing a value");
    check(Format::Avro, "{\n  \"type\": \"record\",,\n}", "line 2, column 20: key must be a string");
    check(Format::Avro, r#"{"type": "recor"}"#, "line 1, column 10: the type `recor` is not defined before this place");
    let field = |it: &str| {
        format!("{{\"type\":\"record\",\"name\":\"R\",\"fields\":[\n  {{\"name\":\"a\",\"type\":{it}}}\n]}}")
    };
    check(
        Format::Avro,
        &field("[\"null\", 3]"),
        "line 2, column 31: a schema is a name, an object or an array of schemas",
    );
    check(Format::Avro, &field("[\"null\",\"null\"]"), "line 2, column 30: the union has \"null\" twice");
    check(
        Format::Avro,
        &field(r#"{"type":"enum","name":"E","symbols":["a","a"]}"#),
        "line 2, column 58: the symbol `a`",
    );
    check(Format::Avro, &field(r#"{"type":"map"}"#), "line 2, column 22: `values` is missing");
    check(
        Format::Avro,
        r#"{"type":"record","name":"a b","fields":[]}"#,
        "line 1, column 25: `a b` is no name of Avro's",
    );
    check(Format::Avro, r#"{"type":"record","name":"R"}"#, "line 1, column 1: the record `R` has no array `fields`");
    check(Format::Json, "{\"type\": \"object\"", "line 1, column 17: EOF while parsing an object");
    check(Format::Json, "{\"properties\":\n {\"a\": {\"type\": \"strin\"}}}", "line 2, column 17: `strin` is no type");
    check(Format::Json, "[]", "line 1, column 1: a schema is an object, `true` or `false`");
    check(Format::Protobuf, "syntax = \"proto3\";\nmessage M { string x = ; }", "line 2, column 24: ");
    check(Format::Protobuf, "{\"type\":\"record\"}", "line 1, column 1: ");
}

/// Whatever is written, the program lives.
#[test]
fn what_is_too_deep_is_refused() {
    for (format, text) in [
        (Format::Avro, "[".repeat(100_000)),
        (Format::Json, "{\"not\":".repeat(100_000)),
        (Format::Protobuf, "message M {".repeat(100_000)),
        (Format::Protobuf, "option (a) = {".repeat(100_000)),
    ] {
        assert!(Schema::parse(format, &text, true).is_err(), "{format}");
    }
}

#[test]
fn a_schema_of_a_megabyte_is_read() {
    let fields: Vec<String> =
        (0..20_000).map(|it| format!(r#"{{"name":"field_{it}","type":"string","doc":"x"}}"#)).collect();
    let text = format!(r#"{{"type":"record","name":"Large","fields":[{}]}}"#, fields.join(","));
    assert!(900_000 < text.len());
    assert_eq!(differs(Format::Avro, &text, &text.replace(",\"doc\":\"x\"", "")), Difference::Documentation);
}

/// What can be read and not be used. Registries may take it.
#[test]
fn protobuf_that_nobody_can_use_is_told_with_its_place() {
    let file = |it: &str| format!("syntax = \"proto3\";\npackage a;\n{it}");
    let told = |text: &str, references: Option<&[&str]>| {
        check(Format::Protobuf, &file(text), references).map_err(|it| it.to_string()).err()
    };
    let refused = |text: &str, expected: &str| assert_eq!(told(text, Some(&[])).as_deref(), Some(expected), "{text}");
    refused("message M {\n  Foo a = 1;\n}", "line 4, column 3: the type `Foo` is not defined, and nothing imports it");
    refused(
        "message M {\n  message N {\n    repeated b.O o = 1;\n  }\n}",
        "line 5, column 14: the type `b.O` is not defined, and nothing imports it",
    );
    refused(
        "message M {\n  int32 a = 1;\n  oneof x { int32 b = 1; }\n}",
        "line 5, column 23: the field `b` has the number 1, as `a` has",
    );
    refused("message M {\n  int32 a = 1;\n  int32 a = 2;\n}", "line 5, column 3: two fields are called `a`");
    refused(
        "import \"other.proto\";\nmessage M {}",
        "line 3, column 1: it imports `other.proto`, and none of `references` has that name",
    );
    refused(
        "message M {\n  google.protobuf.Timestamp at = 1;\n}",
        "line 4, column 3: the type `google.protobuf.Timestamp` is not defined, and nothing imports it",
    );
    let sound = |text: &str, references: Option<&[&str]>| assert_eq!(told(text, references), None, "{text}");
    sound("import \"google/protobuf/timestamp.proto\";\nmessage M { google.protobuf.Timestamp at = 1; }", Some(&[]));
    sound("import \"other.proto\";\nmessage M { o.Other a = 1; }", Some(&["other.proto"]));
    sound("import \"other.proto\";\nmessage M { o.Other a = 1; }", None);
    sound(
        "message M { map<string, N> all = 1; E e = 2; oneof x { M m = 3; a.N n = 4; } }\nmessage N {}\nenum E { NONE = 0; }",
        Some(&[]),
    );
}
