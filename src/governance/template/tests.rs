//! Tests of templates.

use super::*;

const USUAL: &str = "a{code}-{application}-{domain}-{purpose}{suffix}";

fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn patterns() -> Fields {
    fields([("domain", "[a-z]+"), ("purpose", "[a-z][a-z0-9]*(-[a-z0-9]+)*"), ("suffix", "(-dlq|\\.v[0-9]+)?")])
}

fn usual() -> Template {
    Template::parse(USUAL, &patterns(), Unlisted::Refused).unwrap()
}

fn own() -> Fields {
    fields([("code", "0205"), ("application", "payments")])
}

#[test]
fn names_are_made_of_fields() {
    let check = |more: &[(&str, &str)], expected: Result<&str, &[&str]>| {
        let mut given = own();
        given.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let found = usual().render(&given);
        match expected {
            Ok(name) => assert_eq!(found.as_deref(), Ok(name)),
            Err(problems) => {
                let told: Vec<String> = found.unwrap_err().iter().map(ToString::to_string).collect();
                assert_eq!(told, problems);
            }
        }
    };
    check(&[("domain", "card"), ("purpose", "refunds")], Ok("a0205-payments-card-refunds"));
    check(&[("domain", "card"), ("purpose", "refunds"), ("suffix", "-dlq")], Ok("a0205-payments-card-refunds-dlq"));
    check(
        &[("domain", "Card"), ("color", "red")],
        Err(&[
            "`Card` is no value for the field `domain`, which matches `[a-z]+`",
            "the field `purpose` has no value; it matches `[a-z][a-z0-9]*(-[a-z0-9]+)*`",
            "the template has no field `color`",
        ]),
    );
}

#[test]
fn fields_are_read_where_there_is_one_reading() {
    let simple = Template::parse("{domain}.{purpose}.v{version:[0-9]{1,3}}", &Fields::new(), Unlisted::Permitted);
    let read = simple.unwrap().read("card.refunds.v12").unwrap();
    assert_eq!(read, fields([("domain", "card"), ("purpose", "refunds"), ("version", "12")]));
}

#[test]
fn two_readings_are_told_and_none_is_guessed() {
    let open = Template::parse("{a:.+}-{b:.+}", &Fields::new(), Unlisted::Refused).unwrap();
    let error = open.read("x-y-z").unwrap_err();
    let told = "the name can be read in more than one way, as a = `x`, b = `y-z` and as a = `x-y`, b = `z`";
    assert_eq!(error.to_string(), told);
    assert!(open.fits("x-y-z", &Fields::new()), "it fits all the same");
    assert_eq!(open.read("x-y").unwrap(), fields([("a", "x"), ("b", "y")]));
    // `-dlq` could be the end of the purpose.
    assert!(matches!(usual().read("a0205-payments-card-refunds-dlq"), Err(ParseError::Ambiguous(..))));
}

#[test]
fn a_name_that_does_not_fit_is_explained_and_corrected() {
    let check = |name: &str, reason: &str, suggestion: Option<&str>| {
        let misfit = usual().misfit(name, &own()).unwrap();
        assert_eq!(misfit.reason, format!("the template `{USUAL}` wants {reason}"), "{name}");
        assert_eq!(misfit.suggestion.as_deref(), suggestion, "{name}");
    };
    check("invoices", "`a` at its beginning, where there is `invoices`", Some("a0205-payments-domain-invoices"));
    check(
        "a0205-payments-Card-Refunds",
        "the field `domain`, which matches `[a-z]+`, after `a0205-payments-`, where there is `Card-Refunds`",
        Some("a0205-payments-card-refunds"),
    );
    check(
        "a0205-billing-card-refunds",
        "the application's own name `payments` after `a0205-`, where there is `billing-card-refunds`",
        Some("a0205-payments-billing-card-refunds"),
    );
    check(
        "a0205_payments_card_refunds.v2",
        "`-` after `a0205`, where there is `_payments_card_refunds.v2`",
        Some("a0205-payments-card-refunds.v2"),
    );
    check(
        "a0205-payments-",
        "the field `domain`, which matches `[a-z]+`, after `a0205-payments-`, where it ends",
        None,
    );
    check(
        "paymentsCardRefunds-dlq",
        "`a` at its beginning, where there is `paymentsCardRefunds-dlq`",
        Some("a0205-payments-card-refunds-dlq"),
    );
    assert_eq!(usual().misfit("a0205-payments-card-refunds", &own()), None);
    assert_eq!(usual().example(&own()).as_deref(), Some("a0205-payments-domain-purpose"));
}

#[test]
fn fields_that_no_word_matches_get_one_that_does() {
    let patterns = fields([("subject", "[a-z][a-z-]*"), ("version", "[0-9]+")]);
    let template = Template::parse("{application}.{subject}.v{version}", &patterns, Unlisted::Refused).unwrap();
    let check = |name: &str, expected: &str| {
        let suggestion = template.misfit(name, &own()).unwrap().suggestion;
        assert_eq!(suggestion.as_deref(), Some(expected), "{name}");
    };
    check("payments.Refunds", "payments.refunds.v1");
    check("Refunds", "payments.refunds.v1");
    check("card_refunds_2", "payments.card-refunds.v2");
    assert_eq!(template.example(&own()).as_deref(), Some("payments.subject.v1"));
}

#[test]
fn everything_that_is_wrong_with_a_template_is_told() {
    let check = |text: &str, expected: &[&str]| {
        let wrong = Template::parse(text, &patterns(), Unlisted::Refused).unwrap_err();
        assert_eq!(wrong.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{text}");
    };
    check("", &["it is empty"]);
    check("a{code", &["a `{` at character 2 has no `}`"]);
    check("ab}", &["a `}` at character 3 has no `{`"]);
    check(
        "{}-{Code}-{code}-{code}-{region}",
        &[
            "`` is no name of a field: a lower-case letter, then lower-case letters, digits and `_`",
            "`Code` is no name of a field: a lower-case letter, then lower-case letters, digits and `_`",
            "the field `code` is there twice, and only one of them could be read",
            "the field `region` is unknown; the known ones are `application`, `code`, `domain`, `purpose` and `suffix`",
        ],
    );
    let wrong = Template::parse("{x:a)(b}", &Fields::new(), Unlisted::Refused).unwrap_err();
    assert!(matches!(&wrong[..], [TemplateError::Pattern { field, .. }] if field == "x"), "{wrong:?}");
}

#[test]
fn prefixes_are_an_applications_own_and_end_with_a_separator() {
    assert_eq!(usual().own_prefix(&own()).as_deref(), Some("a0205-payments-"));
    let prefix = |text: &str| {
        let patterns = fields([("domain", "[a-z]+")]);
        Template::parse(text, &patterns, Unlisted::Refused).unwrap().own_prefix(&own())
    };
    assert_eq!(prefix("{application}{domain}"), None, "no separator");
    assert_eq!(prefix("{domain}.{application}"), None, "begins with another field");
    assert_eq!(prefix("{application}x{domain}"), None, "a letter separates nothing");
    for (text, fits) in [
        ("a0205-payments-", true),
        ("a0205-payments-card-", true),
        ("a0205-payments-card", false),
        ("a0205-pay", false),
        ("a0205-", false),
        ("a0", false),
        ("a0205-other-", false),
        ("", false),
    ] {
        assert_eq!(usual().fits_prefix(text, &own()), fits, "{text}");
    }
}

#[test]
fn what_is_rendered_fits_and_reads_back() {
    let template = Template::parse("{a}-{b}.{c:[0-9]*}", &Fields::new(), Unlisted::Permitted).unwrap();
    arbtest::arbtest(|u| {
        let mut word = |letters: &[char], least: usize| -> arbtest::arbitrary::Result<String> {
            let count = u.int_in_range(least..=4)?;
            (0..count).map(|_| u.choose(letters).copied()).collect()
        };
        let given =
            fields([("a", &word(&['x', 'Y', '1'], 1)?), ("b", &word(&['z', '0'], 1)?), ("c", &word(&['7'], 0)?)]);
        let name = template.render(&given).unwrap();
        assert!(template.fits(&name, &given));
        assert_eq!(template.read(&name).unwrap(), given);
        Ok(())
    });
}

#[test]
fn no_name_makes_the_search_explode() {
    let text = "{a:.*}{b:.*}-{c:.*}{d:.*}x";
    let template = Template::parse(text, &Fields::new(), Unlisted::Refused).unwrap();
    assert!(!template.fits(&"-".repeat(99), &Fields::new()));
}

#[test]
fn what_is_suggested_fits() {
    let template = usual();
    arbtest::arbtest(|u| {
        let name: String = u.arbitrary()?;
        if let Some(misfit) = template.misfit(&name, &own())
            && let Some(suggestion) = misfit.suggestion
        {
            assert!(template.fits(&suggestion, &own()), "{name:?} {suggestion:?}");
        }
        Ok(())
    });
}
