//! `#[derive(Frozen)]`: the format number of frozen state and the older formats it accepts.
//!
//! A crate of its own because the language wants it so; the meaning stands with the trait, in `waxwing_sdk::frozen`.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{DeriveInput, LitInt, Token, Type, parenthesized, parse_macro_input};

/// `OldState as 1`.
struct Accepted {
    state: Type,
    format: LitInt,
}

impl Parse for Accepted {
    fn parse(input: ParseStream<'_>) -> syn::Result<Accepted> {
        let state = input.parse()?;
        input.parse::<Token![as]>()?;
        Ok(Accepted {
            state,
            format: input.parse()?,
        })
    }
}

/// What stands in `#[frozen(…)]`.
struct Arguments {
    format: LitInt,
    accepts: Vec<Accepted>,
}

impl Arguments {
    fn of(input: &DeriveInput) -> syn::Result<Arguments> {
        let mut format = None;
        let mut accepts = Vec::new();
        for attribute in input
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("frozen"))
        {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("format") {
                    format = Some(meta.value()?.parse()?);
                    Ok(())
                } else if meta.path.is_ident("accepts") {
                    let list;
                    parenthesized!(list in meta.input);
                    accepts.extend(Punctuated::<Accepted, Token![,]>::parse_terminated(&list)?);
                    Ok(())
                } else {
                    Err(meta.error("expected `format = N` or `accepts(Type as N, …)`"))
                }
            })?;
        }
        let format = format
            .ok_or_else(|| syn::Error::new_spanned(&input.ident, "add #[frozen(format = N)]"))?;
        Ok(Arguments { format, accepts })
    }
}

/// Implements `waxwing_sdk::frozen::Frozen`; see there.
#[proc_macro_derive(Frozen, attributes(frozen))]
pub fn derive_frozen(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    Arguments::of(&input)
        .map_or_else(syn::Error::into_compile_error, |arguments| {
            implementation(&input, &arguments)
        })
        .into()
}

fn implementation(input: &DeriveInput, arguments: &Arguments) -> Tokens {
    let name = &input.ident;
    let (generics, type_generics, condition) = input.generics.split_for_impl();
    let format = &arguments.format;
    let states: Vec<&Type> = arguments
        .accepts
        .iter()
        .map(|accepted| &accepted.state)
        .collect();
    let numbers: Vec<&LitInt> = arguments
        .accepts
        .iter()
        .map(|accepted| &accepted.format)
        .collect();
    quote! {
        const _: () = {
            #(assert!(
                <#states as ::waxwing_sdk::frozen::Frozen>::FORMAT == #numbers,
                "`accepts` names another format than the type itself"
            );)*
        };
        impl #generics ::waxwing_sdk::frozen::Frozen for #name #type_generics #condition {
            const FORMAT: u32 = #format;

            fn formats() -> Vec<u32> {
                let mut all = vec![#format];
                #(all.extend(<#states as ::waxwing_sdk::frozen::Frozen>::formats());)*
                all
            }

            fn from_older(snapshot: &::waxwing_sdk::stream::Snapshot) -> Option<Result<Self, String>> {
                #(if <#states as ::waxwing_sdk::frozen::Frozen>::formats().contains(&snapshot.format) {
                    return Some(<#states as ::waxwing_sdk::frozen::Frozen>::from_snapshot(snapshot).map(Self::from));
                })*
                let _ = snapshot;
                None
            }
        }
    }
}
