// SPDX-License-Identifier: Apache-2.0
//! The licence line on top of each file.

/// Whether the first line, or the one after `#!`, says the licence.
pub fn is_licensed(source: &str) -> bool {
    source
        .lines()
        .find(|line| !line.starts_with("#!"))
        .is_some_and(|line| line.contains("SPDX-License-Identifier: Apache-2.0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_licensed_takes_the_first_line() {
        assert!(is_licensed("// SPDX-License-Identifier: Apache-2.0\nfn f() {}\n"));
        assert!(!is_licensed("fn f() {}\n// SPDX-License-Identifier: Apache-2.0\n"));
        assert!(!is_licensed(""));
    }

    #[test]
    fn is_licensed_leaves_the_interpreter_its_line() {
        assert!(is_licensed("#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"));
        assert!(!is_licensed("#!/bin/sh\n"));
    }
}
