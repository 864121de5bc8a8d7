//! Tests of what is put together.

use serde_json::json;

use super::*;

fn application(name: &str, prefixes: &Value) -> Value {
    json!({"form": 1, "incarnation": 1, "spec": {"name": name, "prefixes": prefixes}, "status": "ready", "created_at": 1})
}

fn state(entities: &[(&str, Value)]) -> State {
    let mut res = State::default();
    for (key, value) in entities {
        res.put(key, value).unwrap();
    }
    res
}

fn owner<'a>(state: &'a State, kind: Kind, name: &str) -> Option<&'a str> {
    state.owner_of(kind, name).map(|it| it.spec.name.as_str())
}

#[test]
fn a_name_is_its_prefixes_owners() {
    let state = state(&[
        ("application/a", application("a", &json!({"topic": ["a.", "b.x."], "group": ["g-"]}))),
        ("application/b", application("b", &json!({"topic": ["a.deep.", "b."]}))),
    ]);
    for (name, expected) in [
        ("a.", Some("a")),
        ("a.x", Some("a")),
        ("a.deep", Some("a")),
        ("a.deep.x", Some("b")),
        ("a.deeper.x", Some("a")),
        ("a.e", Some("a")),
        ("b.x.y", Some("a")),
        ("b.y", Some("b")),
        ("b", None),
        ("c", None),
        ("", None),
        ("g-x", None),
    ] {
        assert_eq!(owner(&state, Kind::Topic, name), expected, "{name}");
    }
    assert_eq!(owner(&state, Kind::Group, "g-x"), Some("a"));
}

#[test]
fn a_prefix_that_was_handed_over_is_the_takers_in_whatever_order_they_are_read() {
    let before = [
        ("application/a", application("a", &json!({"topic": ["a.", "x."]}))),
        ("application/b", application("b", &json!({"topic": ["b.", "y."]}))),
    ];
    let after = [
        ("application/a", application("a", &json!({"topic": ["a.", "y."]}))),
        ("application/b", application("b", &json!({"topic": ["b.", "x."]}))),
    ];
    for order in [[0, 1], [1, 0]] {
        let mut state = state(&before);
        for it in order {
            state.put(after[it].0, &after[it].1).unwrap();
        }
        assert_eq!((owner(&state, Kind::Topic, "x.1"), owner(&state, Kind::Topic, "y.1")), (Some("b"), Some("a")));
    }
}

#[test]
fn the_longest_prefix_is_found_among_any() {
    arbtest::arbtest(|u| {
        let mut text = || -> arbtest::arbitrary::Result<String> {
            let count = u.int_in_range(0..=5)?;
            (0..count).map(|_| u.choose(&['a', 'b', 'ä']).copied()).collect()
        };
        let prefixes = (0..6).map(|_| text()).collect::<Result<Vec<_>, _>>()?;
        let name = text()?;
        let state = state(&[("application/a", application("a", &json!({"topic": prefixes})))]);
        let found = state.longest_prefix(Kind::Topic, &name).map(|(it, _)| it);
        let expected = prefixes.iter().filter(|it| name.starts_with(it.as_str())).max_by_key(|it| it.len());
        assert_eq!(found, expected.map(String::as_str), "{name} {prefixes:?}");
        let mut overlapping: Vec<&str> = state.overlapping(Kind::Topic, &name).iter().map(|(it, _)| *it).collect();
        overlapping.sort_unstable();
        let mut expected: Vec<&str> =
            prefixes.iter().map(String::as_str).filter(|it| it.starts_with(&name) || name.starts_with(it)).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(overlapping, expected, "{name} {prefixes:?}");
        Ok(())
    });
}

#[test]
fn an_application_that_ended_owns_nothing() {
    let mut ended = application("a", &json!({"topic": ["a."]}));
    ended["status"] = "deleted".into();
    let state = state(&[("application/a", application("a", &json!({"topic": ["a."]}))), ("application/a", ended)]);
    assert_eq!(owner(&state, Kind::Topic, "a.x"), None);
    assert!(state.application(&"a".parse().unwrap()).is_some(), "it is remembered");
}

#[test]
fn what_a_newer_release_wrote_is_kept_and_no_error() {
    let mut state = State::default();
    state.put("robot/x", &json!({"form": 1})).unwrap();
    state.put("application/a", &json!({"form": 2, "status": "hibernating"})).unwrap();
    assert_eq!(state.newer().collect::<Vec<_>>(), ["application/a", "robot/x"]);
    state.put("application/a", &application("a", &json!({}))).unwrap();
    assert_eq!(state.newer().collect::<Vec<_>>(), ["robot/x"]);
}

#[test]
fn what_this_release_should_read_and_cannot_is_told() {
    let mut state = State::default();
    for (key, value) in [
        ("application/a", json!({"form": 1, "status": "hibernating"})),
        ("application/A", application("a", &json!({}))),
        ("topic/a b", json!({"application": null, "partitions": 1, "status": "created", "created_at": 1})),
        ("binding/x", json!({"holders": [], "status": "removed"})),
        ("environment", json!({})),
    ] {
        assert_eq!(state.put(key, &value).unwrap_err().key, key);
    }
}

#[test]
fn the_topics_of_an_application_sum_up() {
    let topic = |owner: &str, partitions: i64, status: &str| json!({"application": owner, "partitions": partitions, "capacity": {"disk_bytes": 10}, "status": status, "created_at": 1});
    let state = state(&[
        ("topic/a.x", topic("a", 1, "reserved")),
        ("topic/a.y", topic("a", 2, "created")),
        ("topic/a.z", topic("a", 4, "deleting")),
        ("topic/a.gone", topic("a", 8, "deleted")),
        ("topic/b.x", topic("b", 16, "created")),
    ]);
    let name = "a".parse().unwrap();
    let taken = state.taken(&name, None);
    assert_eq!((taken.topics, taken.partitions, taken.disk_bytes), (Some(3), Some(7), Some(30)));
    assert_eq!(state.taken(&name, Some(&"a.y".parse().unwrap())).partitions, Some(5));
}
