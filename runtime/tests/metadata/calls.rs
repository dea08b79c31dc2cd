// SPDX-License-Identifier: Apache-2.0
//! The encoding of extrinsics, from the metadata: each call with its indices, the types that
//! arguments are made of, and the extensions.

use frame_metadata::{v14::RuntimeMetadataV14, RuntimeMetadata, RuntimeMetadataPrefixed};
use scale_info::{form::PortableForm, Field, PortableRegistry, Type, TypeDef};
use std::collections::{BTreeMap, BTreeSet};

/// Describes the metadata, one fact a line. Indices have three digits, so that lines are in order.
pub fn describe(metadata: RuntimeMetadataPrefixed) -> BTreeSet<String> {
    let RuntimeMetadata::V14(metadata) = metadata.1 else {
        panic!("FRAME writes version 14 where none is asked for")
    };
    let mut writer =
        Writer { types: &metadata.types, seen: BTreeMap::new(), lines: BTreeSet::new() };
    writer.calls(&metadata);
    writer.extensions(&metadata);
    writer.lines
}

struct Writer<'a> {
    types: &'a PortableRegistry,
    /// The types that have lines.
    seen: BTreeMap<u32, String>,
    lines: BTreeSet<String>,
}

impl Writer<'_> {
    fn calls(&mut self, metadata: &RuntimeMetadataV14) {
        for pallet in &metadata.pallets {
            let Some(calls) = &pallet.calls else { continue };
            let TypeDef::Variant(calls) = &self.of(calls.ty.id).type_def else {
                panic!("the calls of {} are an enumeration", pallet.name)
            };
            for call in calls.variants.clone() {
                let arguments = self.fields(&call.fields);
                self.lines.insert(format!(
                    "call {:03}.{:03} {}.{}{arguments}",
                    pallet.index, call.index, pallet.name, call.name
                ));
            }
        }
    }

    /// Writes one line for all: any change of them, an addition too, changes what is signed.
    fn extensions(&mut self, metadata: &RuntimeMetadataV14) {
        let all: Vec<_> = metadata
            .extrinsic
            .signed_extensions
            .iter()
            .map(|extension| {
                let (explicit, implicit) =
                    (self.name(extension.ty.id), self.name(extension.additional_signed.id));
                format!("{}({explicit}; {implicit})", extension.identifier)
            })
            .collect();
        self.lines.insert(format!("extensions {}", all.join(", ")));
    }

    fn of(&self, id: u32) -> &Type<PortableForm> {
        self.types.resolve(id).expect("the metadata has the types that it names")
    }

    fn fields(&mut self, fields: &[Field<PortableForm>]) -> String {
        let all: Vec<_> = fields
            .iter()
            .map(|field| {
                let name = self.name(field.ty.id);
                field.name.as_ref().map_or(name.clone(), |field| format!("{field}: {name}"))
            })
            .collect();
        format!("({})", all.join(", "))
    }

    /// Returns a type's name. The first time, also writes lines for what it is made of.
    fn name(&mut self, id: u32) -> String {
        if let Some(name) = self.seen.get(&id) {
            return name.clone();
        }
        let ty = self.of(id).clone();
        let name = match &ty.type_def {
            TypeDef::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
            TypeDef::Sequence(of) => format!("[{}]", self.name(of.type_param.id)),
            TypeDef::Array(of) => format!("[{}; {}]", self.name(of.type_param.id), of.len),
            TypeDef::Compact(of) => format!("Compact<{}>", self.name(of.type_param.id)),
            TypeDef::Tuple(of) => {
                let all: Vec<_> = of.fields.iter().map(|field| self.name(field.id)).collect();
                format!("({})", all.join(", "))
            }
            TypeDef::BitSequence(_) => "BitSequence".into(),
            TypeDef::Composite(_) | TypeDef::Variant(_) => return self.named(id, &ty),
        };
        self.seen.insert(id, name.clone());
        name
    }

    fn named(&mut self, id: u32, ty: &Type<PortableForm>) -> String {
        let path = ty.path.segments.join("::");
        // A type can hold itself: known by its path until its name is complete.
        self.seen.insert(id, path.clone());
        // The runtime's own calls have lines already.
        if path.ends_with("RuntimeCall") {
            return path;
        }
        let parameters: Vec<_> = ty
            .type_params
            .iter()
            .filter_map(|parameter| Some(self.name(parameter.ty.as_ref()?.id)))
            .collect();
        let name = match parameters.is_empty() {
            true => path,
            false => format!("{path}<{}>", parameters.join(", ")),
        };
        self.seen.insert(id, name.clone());
        match &ty.type_def {
            TypeDef::Composite(composite) => {
                let fields = self.fields(&composite.fields);
                self.lines.insert(format!("type {name} {fields}"));
            }
            TypeDef::Variant(variants) => {
                for variant in &variants.variants {
                    let fields = self.fields(&variant.fields);
                    self.lines.insert(format!(
                        "type {name} {:03} {}{fields}",
                        variant.index, variant.name
                    ));
                }
            }
            _ => {}
        }
        name
    }
}

#[test]
fn describe_names_indices_arguments_and_types() {
    let lines = describe(assay_runtime::Runtime::metadata());
    assert!(lines.contains("call 000.000 System.remark(remark: [u8])"), "{lines:#?}");
    assert!(lines.contains("type sp_core::crypto::AccountId32 ([u8; 32])"), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.starts_with("extensions CheckNonZeroSender(")),
        "{lines:#?}"
    );
}
