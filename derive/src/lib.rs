//! `#[derive(Model)]`: writes the call list of `Model::visit`, and nothing else.
//!
//! A field's doc comment becomes its description, and each `#[attr(a, b = c)]`
//! becomes the calls `.a().b(c)` on `About`. The macro knows no attribute by
//! name: a new one is a method on `About`, and a wrong one is an ordinary type
//! error at the field.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote_spanned;
use syn::{Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Lit, Meta, spanned::Spanned};

/// Implements `Model` for a struct with named fields.
#[proc_macro_derive(Model, attributes(attr))]
pub fn model(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> syn::Result<Tokens> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "a model is a struct with named fields"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new(input.ident.span(), "a model is a struct with named fields"));
    };
    let doc = doc(&input.attrs, input.ident.span())?;
    let calls = fields.named.iter().map(call).collect::<syn::Result<Vec<_>>>()?;
    let name = &input.ident;
    Ok(quote_spanned! { name.span() =>
        #[automatically_derived]
        impl ::terraform_provider_kafka::framework::Model for #name {
            const DOC: &'static str = #doc;
            fn visit(&mut self, visitor: &mut dyn ::terraform_provider_kafka::framework::Visitor) {
                #(#calls)*
            }
        }
    })
}

fn call(field: &Field) -> syn::Result<Tokens> {
    let ident = field.ident.as_ref().expect("named field");
    let name = ident.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name);
    let (ty, doc) = (&field.ty, doc(&field.attrs, field.span())?);
    let mut about = quote_spanned! { ty.span() => ::terraform_provider_kafka::framework::About::<#ty>::new(#doc) };
    for attr in field.attrs.iter().filter(|it| it.path().is_ident("attr")) {
        attr.parse_nested_meta(|meta| {
            let method = meta.path.require_ident()?;
            about = if meta.input.peek(syn::Token![=]) {
                let value: Expr = meta.value()?.parse()?;
                quote_spanned! { method.span() => #about.#method(#value) }
            } else {
                quote_spanned! { method.span() => #about.#method() }
            };
            Ok(())
        })?;
    }
    Ok(quote_spanned! { ty.span() => visitor.field(#name, &mut self.#ident, || #about.into()); })
}

fn doc(attrs: &[Attribute], span: proc_macro2::Span) -> syn::Result<String> {
    let lines: Vec<String> = attrs
        .iter()
        .filter(|it| it.path().is_ident("doc"))
        .filter_map(|it| match &it.meta {
            Meta::NameValue(it) => match &it.value {
                Expr::Lit(it) => match &it.lit {
                    Lit::Str(it) => Some(it.value().trim().to_owned()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
        .collect();
    if lines.is_empty() {
        return Err(Error::new(span, "missing doc comment: it is the description that practitioners read"));
    }
    Ok(lines.join("\n").trim().to_owned())
}
