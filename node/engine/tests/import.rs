// SPDX-License-Identifier: Apache-2.0
//! Imports of files of other types: the bytes are the same everywhere, and the model stays itself.

mod models;

use assay_engine::{
    gguf, import, plan_import, quantise, synthetic::write, EngineError, ImportPlan, Imported,
    MatrixType, Model, Threads,
};
use candle_core::{
    quantized::{
        gguf_file::{Content, Value},
        GgmlDType, QTensor,
    },
    DType, Device, Tensor,
};
use models::{
    floats,
    other_types::{numbers, retyped, scrambled, shape, OTHERS, SCRAMBLED},
    reference::{errors, mean_and_worst},
    rows,
};
use std::{io::Cursor, path::Path};

/// Returns the synthetic model with its matrices, and its norms if `norms` is set, in another type.
fn file(dtype: GgmlDType, norms: bool) -> Vec<u8> {
    let tensors = shape().tensors().unwrap().into_iter().map(|(name, tensor)| {
        let other = if tensor.shape().dims().len() == 2 || norms { dtype } else { GgmlDType::F32 };
        let numbers = tensor.dequantize(&Device::Cpu).unwrap();
        (name, QTensor::quantize(&numbers, other).unwrap())
    });
    write(&shape().metadata(), &tensors.collect::<Vec<_>>()).unwrap()
}

/// Imports a file in memory; returns the summary and the new file.
fn imported(file: &[u8], matrices: MatrixType) -> Result<(Imported, Vec<u8>), EngineError> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from.gguf"), folder.path().join("to.gguf"));
    std::fs::write(&from, file).unwrap();
    let mut seen = Vec::new();
    let plan = plan_import(&from, matrices);
    let result = import(&from, &to, matrices, &mut |progress| seen.push(progress.done));
    let files = std::fs::read_dir(&folder).unwrap().count();
    let imported = result.inspect_err(|_| assert!(!to.exists() && files == 1))?;
    assert_eq!(files, 2);
    let (file_bytes, converted) = (imported.file_bytes, imported.converted);
    assert_eq!(plan.unwrap(), ImportPlan { file_bytes, converted, parts: 1 });
    assert!(seen.is_sorted());
    Ok((imported, std::fs::read(to).unwrap()))
}

#[test]
fn import_writes_the_blocks_of_the_rule() {
    let name = "blk.0.ffn_down.weight";
    for dtype in OTHERS {
        let before = file(dtype, false);
        for (matrices, rule) in [
            (MatrixType::Q8_0, quantise::q8_0 as fn(&[f32]) -> Option<Vec<u8>>),
            (MatrixType::Q4_0, quantise::q4_0),
        ] {
            let (made, after) = imported(&before, matrices).unwrap();
            assert_eq!(made.root, *blake3::hash(&after).as_bytes());
            assert_eq!(made.file_bytes, after.len() as u64);
            assert_eq!((made.converted, made.copied), (8, 3), "{dtype:?}");
            let place = gguf::read(&after).unwrap().tensor(name).unwrap();
            let expected = rule(&numbers(&before, name)).unwrap();
            assert!(after[place.at..place.at + place.bytes] == expected, "{dtype:?}");
            Model::from_bytes(after).unwrap();
        }
    }
}

#[test]
fn import_keeps_the_model() {
    let tokens: Vec<u32> = (0..20).collect();
    let threads = Threads::new(1);
    let exact = floats(&rows(&models::model(shape()), &threads, &tokens, 20));
    for dtype in [GgmlDType::F32, GgmlDType::F16, GgmlDType::BF16] {
        let (_, after) = imported(&file(dtype, false), MatrixType::Q8_0).unwrap();
        let model = Model::from_bytes(after).unwrap();
        let found = floats(&rows(&model, &threads, &tokens, 20));
        let (mean, _) = mean_and_worst(&errors(&found, &exact));
        assert!(mean < 0.05, "{dtype:?}: {mean}");
    }
}

#[test]
fn import_keeps_metadata_but_for_the_file_type() {
    let before = file(GgmlDType::F16, false);
    let (_, after) = imported(&before, MatrixType::Q4_0).unwrap();
    let [before, after] =
        [&before, &after].map(|file| Content::read(&mut Cursor::new(file)).unwrap().metadata);
    assert_eq!(after["general.file_type"].to_u32().unwrap(), 2);
    assert_eq!(after.len(), before.len() + 1);
    for (key, value) in &before {
        assert_eq!(format!("{value:?}"), format!("{:?}", after[key]), "{key}");
    }
    let mut metadata = shape().metadata();
    metadata.push(("general.file_type".into(), Value::U32(1)));
    let file = write(&metadata, &shape().tensors().unwrap()).unwrap();
    let (made, after) = imported(&file, MatrixType::Q8_0).unwrap();
    assert_eq!(made.converted, 0);
    assert_eq!(gguf::read(&after).unwrap().records().len(), metadata.len());
}

#[test]
fn import_copies_q4_0_and_makes_f32_of_norms() {
    let (made, after) = imported(&file(GgmlDType::Q4_0, false), MatrixType::Q8_0).unwrap();
    assert_eq!((made.converted, made.copied), (0, 11));
    assert_eq!(Model::from_bytes(after).unwrap().info().quantisation, "Q4_0");
    let (made, after) = imported(&file(GgmlDType::F16, true), MatrixType::Q8_0).unwrap();
    assert_eq!((made.converted, made.copied), (11, 0));
    Model::from_bytes(after).unwrap();
}

#[test]
fn import_of_an_imported_file_changes_nothing() {
    let (_, once) = imported(&file(GgmlDType::Q4K, false), MatrixType::Q8_0).unwrap();
    let (made, twice) = imported(&once, MatrixType::Q8_0).unwrap();
    assert!(once == twice && made.converted == 0);
}

#[test]
fn import_names_a_tensor_that_it_cannot_convert() {
    let mut before = file(GgmlDType::F32, false);
    let name = "blk.0.ffn_up.weight";
    let at = gguf::read(&before).unwrap().tensor(name).unwrap().at;
    before[at..at + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    match imported(&before, MatrixType::Q8_0) {
        Err(EngineError::Import { tensor, problem }) => {
            assert_eq!(tensor, name);
            assert!(problem.contains("finite"), "{problem}");
        }
        other => panic!("{:?}", other.map(|_| "no error")),
    }
}

#[test]
fn import_says_what_opening_would_refuse() {
    let lacking = |name: &str, other: Option<QTensor>| {
        let mut tensors = shape().tensors().unwrap();
        tensors.retain(|(found, _)| found != name);
        tensors.extend(other.map(|tensor| (name.to_string(), tensor)));
        imported(&write(&shape().metadata(), &tensors).unwrap(), MatrixType::Q8_0)
    };
    let name = "blk.0.ffn_up.weight";
    let result = lacking(name, None);
    assert!(matches!(result, Err(EngineError::MissingTensor { tensor }) if tensor == name));
    let numbers = Tensor::zeros((512, 128), DType::F32, &Device::Cpu).unwrap();
    let misshapen = QTensor::quantize(&numbers, GgmlDType::F16).unwrap();
    let result = lacking(name, Some(misshapen));
    assert!(matches!(result, Err(EngineError::TensorShape { tensor, .. }) if tensor == name));
    let numbers = Tensor::zeros(256, DType::F32, &Device::Cpu).unwrap();
    let bias = QTensor::quantize(&numbers, GgmlDType::F32).unwrap();
    let name = "blk.0.attn_q.bias";
    let result = lacking(name, Some(bias));
    assert!(matches!(result, Err(EngineError::UnexpectedTensor { tensor }) if tensor == name));
}

#[test]
fn import_refuses_other_architectures_before_it_writes() {
    let mut metadata = shape().metadata();
    metadata[0].1 = Value::String("mamba".into());
    let file = write(&metadata, &shape().tensors().unwrap()).unwrap();
    let result = imported(&file, MatrixType::Q8_0);
    assert!(matches!(result, Err(EngineError::UnknownArchitecture { .. })));
}

#[test]
fn import_names_a_path_that_it_cannot_read_or_write() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from.gguf");
    std::fs::write(&from, file(GgmlDType::F16, false)).unwrap();
    let nowhere = Path::new("/nonexistent/to.gguf");
    let result = import(&from, nowhere, MatrixType::Q8_0, &mut |_| ());
    assert!(
        matches!(result, Err(EngineError::Io { path, .. }) if path.starts_with("/nonexistent"))
    );
    let result = import(nowhere, &from, MatrixType::Q8_0, &mut |_| ());
    assert!(matches!(result, Err(EngineError::Io { path, .. }) if path == nowhere));
}

#[test]
fn import_during_another_to_the_same_name_leaves_both_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other, to] = ["one", "other", "to"].map(|name| folder.path().join(name));
    std::fs::write(&one, file(GgmlDType::F16, false)).unwrap();
    std::fs::write(&other, file(GgmlDType::Q5_0, false)).unwrap();
    let root = || *blake3::hash(&std::fs::read(&to).unwrap()).as_bytes();
    let mut seen = 0;
    let made = import(&one, &to, MatrixType::Q8_0, &mut |_| {
        seen += 1;
        if seen == 5 {
            let inner = import(&other, &to, MatrixType::Q8_0, &mut |_| ()).unwrap();
            assert_eq!(inner.root, root());
        }
    });
    assert_eq!(made.unwrap().root, root());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
}

#[cfg(unix)]
#[test]
fn imported_file_has_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
    std::fs::write(&from, file(GgmlDType::F16, false)).unwrap();
    import(&from, &to, MatrixType::Q8_0, &mut |_| ()).unwrap();
    let [written, imported] =
        [&from, &to].map(|path| std::fs::metadata(path).unwrap().permissions().mode());
    assert_eq!(imported, written);
}

/// The type of a tensor in a file: IQ4_NL, whose blocks are as long as those of Q4_0.
const IQ4_NL: u32 = 20;
/// MXFP4.
const MXFP4: u32 = 39;

#[test]
fn import_converts_iq4_nl() {
    let values: [f32; 16] =
        [-127., -104., -83., -65., -49., -35., -22., -10., 1., 13., 25., 38., 53., 69., 89., 113.];
    let before = retyped(scrambled(GgmlDType::Q4_0), SCRAMBLED, IQ4_NL);
    assert!(matches!(
        Model::from_bytes(before.clone()),
        Err(EngineError::UnsupportedType { found, .. }) if found == "IQ4_NL"
    ));
    let place = |file: &[u8]| gguf::read(file).unwrap().tensor(SCRAMBLED).unwrap();
    let (from, mut expected) = (place(&before), Vec::new());
    for block in before[from.at..from.at + from.bytes].chunks(18) {
        let d = half::f16::from_le_bytes([block[0], block[1]]).to_f32();
        for shift in [0, 4] {
            expected
                .extend(block[2..].iter().map(|byte| d * values[usize::from(byte >> shift & 15)]));
        }
    }
    let (made, after) = imported(&before, MatrixType::Q8_0).unwrap();
    let to = place(&after);
    assert!(after[to.at..to.at + to.bytes] == quantise::q8_0(&expected).unwrap());
    assert_eq!(made.converted, 1);
    Model::from_bytes(after).unwrap();
}

#[test]
fn import_names_the_architecture_before_a_type_that_it_lacks() {
    let mut metadata = shape().metadata();
    metadata[0].1 = Value::String("gpt-oss".into());
    for (metadata, named) in [(metadata, "gpt-oss"), (shape().metadata(), "MXFP4")] {
        let file = write(&metadata, &shape().tensors().unwrap()).unwrap();
        let file = retyped(file, SCRAMBLED, MXFP4);
        for error in [
            imported(&file, MatrixType::Q8_0).map(drop).unwrap_err(),
            Model::from_bytes(file).map(drop).unwrap_err(),
        ] {
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}

#[test]
fn import_has_golden_roots() {
    for (dtype, golden) in OTHERS.into_iter().zip([
        "a55ea1be07617e08",
        "bde0dc504f519b33",
        "ef224cb8891b14b6",
        "a016de6369eae839",
        "a55e35287b16c3f2",
        "538a1614c08641b7",
        "3a6cdc6651062ae0",
        "9d98401bd79ae3c4",
        "d9f9a7cdbb10aadb",
        "e4c51934259cf60b",
        "f22a1f626612771e",
    ]) {
        let (made, _) = imported(&scrambled(dtype), MatrixType::Q8_0).unwrap();
        assert_eq!(blake3::Hash::from(made.root).to_hex()[..16], *golden, "{dtype:?}");
    }
}
