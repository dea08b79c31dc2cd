// SPDX-License-Identifier: Apache-2.0
//! The rules by which versions are raised.

use crate::snapshot::Snapshot;

/// Where both versions are.
const WHERE: &str = "`VERSION` in runtime/src/lib.rs";

/// Returns a message for each version that was to be raised and is not. Lines that are new pass: nobody
/// signed for them before.
pub fn faults(before: &Snapshot, now: &Snapshot) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, before, now) in [
        ("spec_version", before.spec_version, now.spec_version),
        ("transaction_version", before.transaction_version, now.transaction_version),
    ] {
        if now < before {
            faults.push(format!(
                "{name} is {now}, and was {before} in the last release; raise it in {WHERE}"
            ));
        }
    }
    let gone: Vec<_> = before.signed.difference(&now.signed).cloned().collect();
    if !gone.is_empty() && now.transaction_version == before.transaction_version {
        faults.push(format!(
            "these calls, arguments or extensions changed, moved or went, so that a signed extrinsic \
             would mean something else; raise transaction_version from {} in {WHERE}, or keep them:\n  {}",
            before.transaction_version,
            gone.join("\n  ")
        ));
    }
    if before.sources != now.sources && now.spec_version == before.spec_version {
        faults.push(format!(
            "the runtime's sources differ from those of the last release; raise spec_version from {} \
             in {WHERE} (before the first release, run ./scripts/snapshot.sh instead)",
            before.spec_version
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMARK: &str = "call 000.000 System.remark(remark: [u8])";

    fn release() -> Snapshot {
        Snapshot {
            spec_version: 2,
            transaction_version: 2,
            sources: "ab".into(),
            signed: [REMARK.into(), "extensions A, B".into()].into(),
        }
    }

    /// The release with that line in the place of another.
    fn changed(from: &str, to: Option<&str>) -> Snapshot {
        let mut now = release();
        assert!(now.signed.remove(from), "the release has {from}");
        now.signed.extend(to.map(String::from));
        now
    }

    #[track_caller]
    fn assert_fault(now: &Snapshot, names: &[&str]) {
        let faults = faults(&release(), now);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(names.iter().all(|name| faults[0].contains(name)), "{faults:?}");
    }

    #[test]
    fn same_runtime_has_no_fault() {
        assert!(faults(&release(), &release()).is_empty());
    }

    #[test]
    fn changed_argument_needs_a_transaction_version() {
        let now = changed(REMARK, Some("call 000.000 System.remark(remark: [u16])"));
        assert_fault(&now, &["transaction_version from 2", REMARK, "runtime/src/lib.rs"]);
    }

    #[test]
    fn moved_call_needs_a_transaction_version() {
        assert_fault(
            &changed(REMARK, Some("call 000.001 System.remark(remark: [u8])")),
            &["transaction_version from 2", REMARK],
        );
    }

    #[test]
    fn removed_call_needs_a_transaction_version() {
        assert_fault(&changed(REMARK, None), &["transaction_version from 2", REMARK]);
    }

    #[test]
    fn added_extension_needs_a_transaction_version() {
        let now = changed("extensions A, B", Some("extensions A, B, C"));
        assert_fault(&now, &["transaction_version from 2", "extensions A, B"]);
    }

    #[test]
    fn raised_transaction_version_permits_changes() {
        let now = Snapshot { transaction_version: 3, ..changed(REMARK, None) };
        assert!(faults(&release(), &now).is_empty());
    }

    #[test]
    fn added_call_needs_no_transaction_version() {
        let mut now = release();
        now.signed.insert("call 000.001 System.other()".into());
        assert!(faults(&release(), &now).is_empty());
    }

    #[test]
    fn other_sources_need_a_spec_version() {
        let now = Snapshot { sources: "cd".into(), ..release() };
        assert_fault(&now, &["spec_version from 2", "runtime/src/lib.rs"]);
        assert!(faults(&release(), &Snapshot { spec_version: 3, ..now }).is_empty());
    }

    #[test]
    fn lowered_version_is_a_fault() {
        assert_fault(&Snapshot { spec_version: 1, ..release() }, &["spec_version is 1"]);
        assert_fault(
            &Snapshot { transaction_version: 1, ..release() },
            &["transaction_version is 1"],
        );
    }
}
